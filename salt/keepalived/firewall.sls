# The direct rules that the pillar asks for, and what really lets VRRP in: on firewalld's default
# backend a direct ACCEPT rule does not (docs/firewall.md). keepalived:firewall:vrrp: false leaves
# VRRP to somebody else.
{%- from "keepalived/map.jinja" import keepalived with context %}
{%- set raw = keepalived.pillar.get("firewall") %}
{%- set firewall = raw if raw is mapping else {} %}

include:
  - keepalived.modules
{%- if keepalived.synced %}
{%- if firewall.get("vrrp", True) is not sameas false %}

keepalived-firewall-vrrp:
  keepalived_firewall.vrrp_allowed: []
{%- endif %}
{%- for rule in firewall.get("direct_rules") or [] %}

keepalived-firewall-direct-{{ loop.index0 }}:
  firewalld_direct.present:
    - name: keepalived:firewall:direct_rules:{{ loop.index0 }}
    {#- Each key is passed on as it is: the state knows which there are. #}
    {%- for key, value in (rule if rule is mapping else {"entry": rule}).items() %}
    - {{ {key: value} | json }}
    {%- endfor %}
{%- endfor %}
{%- endif %}
