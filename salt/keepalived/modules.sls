# The guard. state.highstate copies the bundle's modules to the minion by itself, state.apply does
# not: then this is the one state there is, and every other SLS of the formula is empty.
{%- from "keepalived/map.jinja" import keepalived with context %}
{%- if not keepalived.synced %}

keepalived-modules-synced:
  test.configurable_test_state:
    - changes: False
    - result: False
    - allow_test_mode_failure: True
    - comment: {{ ("keepalived's Salt modules are not on this minion. Run: salt '" ~ grains.id
                   ~ "' saltutil.sync_all (masterless: salt-call --local saltutil.sync_all), or "
                   ~ "state.highstate, which syncs by itself. The same again after that: the "
                   ~ "minion's log says why they do not load") | json }}
{%- endif %}
