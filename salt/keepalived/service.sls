# keepalived enabled and running. It watches nothing: a restart would move the virtual address,
# and keepalived.managed has already reloaded what changed.
{%- from "keepalived/map.jinja" import keepalived with context %}

include:
  - keepalived.modules
  - keepalived.config
{%- if keepalived.synced %}

keepalived-service-running:
  service.running:
    - name: {{ keepalived.service }}
    - enable: True
    - require:
      - keepalived: keepalived-config
{%- endif %}
