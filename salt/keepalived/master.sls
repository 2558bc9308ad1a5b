# For the master's own minion: the hub, which keeps the timeline; reactions to VRRP events, where alerts go (pillar
# keepalived_master), the nodes' event keys, and the runners on the master.
{%- from "keepalived/map.jinja" import keepalived with context %}

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
{%- endif %}
