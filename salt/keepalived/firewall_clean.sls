# Close what the formula opened, and take out the direct rules that the pillar names. Only for a
# node whose keepalived has stopped: one that hears no adverts makes itself master, and the state
# refuses.
{%- from "keepalived/map.jinja" import keepalived with context %}
{%- set raw = keepalived.pillar.get("firewall") %}
{%- set firewall = raw if raw is mapping else {} %}

include:
  - keepalived.modules
{%- if keepalived.synced %}

keepalived-firewall-vrrp-closed:
  keepalived_firewall.vrrp_disallowed: []
{%- for rule in firewall.get("direct_rules") or [] %}

keepalived-firewall-direct-{{ loop.index0 }}-gone:
  firewalld_direct.absent:
    - name: keepalived:firewall:direct_rules:{{ loop.index0 }}
    {%- for key, value in (rule if rule is mapping else {"entry": rule}).items() %}
    - {{ {key: value} | json }}
    {%- endfor %}
    - require:
      - keepalived_firewall: keepalived-firewall-vrrp-closed
{%- endfor %}
{%- endif %}
