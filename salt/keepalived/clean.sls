# Take away what the formula added for events. keepalived keeps running with its configuration,
# and the virtual address stays where it is; so VRRP must still pass, and firewall, sysctl and
# scripts stay. With pillar keepalived:clean:stop_keepalived: true (given with the command) keepalived
# stops, the address moves to another node, and the firewall and sysctl settings go too.
{%- from "keepalived/map.jinja" import keepalived with context %}
{%- from "keepalived/metrics.jinja" import units with context %}
{%- set stop = keepalived.clean.get("stop_keepalived") is sameas true %}

include:
  - keepalived.modules
{%- if stop %}
  - keepalived.firewall_clean
{%- endif %}
{%- if keepalived.synced %}
{%- if stop %}

keepalived-clean-keepalived-stopped:
  service.dead:
    - name: {{ keepalived.service }}
    - enable: False
    - require_in:
      # While keepalived runs, cutting it off from the others would make it master.
      - sls: keepalived.firewall_clean

keepalived-clean-sysctl:
  file.absent:
    - name: {{ keepalived.sysctl_file }}
{%- endif %}
{{ units("keepalived-clean-metrics", keepalived.metrics_service, {}) }}

keepalived-clean-watch-stopped:
  service.dead:
    - name: {{ keepalived.watch_service }}
    - enable: False

keepalived-clean-watch-files:
  file.absent:
    - names:
      - {{ keepalived.watch_unit }}
      - {{ keepalived.tmpfiles }}
      - {{ keepalived.watch_library }}
      - {{ keepalived.event_key }}
    - require:
      - service: keepalived-clean-watch-stopped

keepalived-clean-events-settings:
  file.absent:
    - name: {{ keepalived.minion_settings }}

keepalived-clean-events-in-force:
  keepalived_minion.restarted:
    - name: {{ keepalived.minion_service }}
    - onchanges:
      - file: keepalived-clean-events-settings
{%- endif %}
