# On request: a service (HAProxy) may bind the virtual address on a node that does not hold it.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
  - keepalived.valid
{%- if keepalived.synced and keepalived.sysctl.get("ip_nonlocal_bind") is sameas true %}
{%- for family in ("ipv4", "ipv6") %}
{#- No such file: the kernel runs without IPv6, and the setting would fail. #}
{%- if salt["file.file_exists"]("/proc/sys/net/" ~ family ~ "/ip_nonlocal_bind") %}

keepalived-sysctl-{{ family }}-nonlocal-bind:
  sysctl.present:
    - name: net.{{ family }}.ip_nonlocal_bind
    - value: 1
    - config: {{ keepalived.sysctl_file }}
    - require:
      - keepalived_pillar: keepalived-pillar-valid
{%- endif %}
{%- endfor %}
{%- endif %}
