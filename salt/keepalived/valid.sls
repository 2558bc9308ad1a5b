# The pillar is judged before anything is touched; a wrong one leaves the node as it is.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
{%- if keepalived.synced %}

# Before the judgement: "unicast_peer: auto" needs what the other nodes put there.
keepalived-pillar-addresses-shared:
  keepalived_pillar.addresses_shared: []

keepalived-pillar-valid:
  keepalived_pillar.valid:
    - require:
      - keepalived_pillar: keepalived-pillar-addresses-shared
{%- endif %}
