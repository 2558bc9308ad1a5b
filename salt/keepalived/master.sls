# For the master's own minion: the hub, which keeps the timeline; reactions to VRRP events, where alerts go (pillar
# keepalived_master), the nodes' event keys, the runners on the master and metrics of all clusters.
{%- from "keepalived/map.jinja" import keepalived with context %}
{%- from "keepalived/metrics.jinja" import units with context %}

include:
  - keepalived.modules
{%- if keepalived.synced %}

keepalived-master-synced:
  keepalived_minion.master_synced: []

keepalived-master-settings:
  keepalived_minion.master_settings:
    - name: {{ keepalived.master_settings }}
    - require:
      - keepalived_minion: keepalived-master-synced

# After the settings, which may say where it lies; before the master hands out keys made from it.
keepalived-master-event-secret:
  keepalived_minion.event_secret:
    - require:
      - keepalived_minion: keepalived-master-settings

keepalived-master-in-force:
  keepalived_minion.settings_in_force:
    - name: {{ keepalived.master_service }}
    - files: {{ ([keepalived.master_settings] + salt["keepalived_minion.hub_code"]()) | json }}
    - require:
      - keepalived_minion: keepalived-master-event-secret
{%- if keepalived.systemd %}
{%- set require = [{"keepalived_minion": "keepalived-master-settings"}] %}
{%- if keepalived.hub_metrics.get("textfile") is string %}
{%- do require.append({"keepalived": "keepalived-hub-metrics-library"}) %}

# A directory of its own: where the master is also a node, keepalived.clean takes the watch's away.
keepalived-hub-metrics-library:
  keepalived.copy_installed:
    - name: {{ keepalived.hub_library }}
    - require:
      - keepalived_minion: keepalived-master-settings
{%- else %}

keepalived-hub-metrics-library-absent:
  file.absent:
    - name: {{ keepalived.hub_library }}
    - require:
      - keepalived_minion: keepalived-master-settings
{%- endif %}
{{ units("keepalived-hub-metrics", keepalived.hub_metrics_service, keepalived.hub_metrics,
         {"library": keepalived.hub_library, "timeline": salt["keepalived_minion.hub_timeline"]()},
         require) }}
{%- endif %}
{%- endif %}
