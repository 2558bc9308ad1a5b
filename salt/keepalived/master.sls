# For the master's own minion: reactions to VRRP events, where alerts go (pillar
# keepalived_master), and the runners on the master.
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

keepalived-master-in-force:
  keepalived_minion.settings_in_force:
    - name: {{ keepalived.master_service }}
    - files:
      - {{ keepalived.master_settings }}
    - require:
      - keepalived_minion: keepalived-master-settings
{%- endif %}
