# For the minion on the Salt master (state keepalived.master): where alerts go (docs/alerts.md). Every
# VRRP transition of every cluster is one alert. Leave out what you do not use; without this pillar
# the reactions are in place all the same, and tell nobody.
keepalived_master:
  alerts:
    # One line for each alert in the master's log.
    log: true
    # POST of the event as JSON.
    # webhook: {url: 'https://alerts.example.com/hooks/keepalived'}
    # mail: {to: oncall@example.com, from: salt@example.com, host: localhost}
    # Named routes say what they take; apprise needs the Python package of that name on the master.
    # Afterwards: salt-run keepalived.alert_test
    # routes:
    #   oncall:
    #     apprise: 'sdb://vault/pagerduty'
    #     severity: critical
    #     remind: 30m
    #   chat:
    #     apprise: 'slack://TokenA/TokenB/TokenC/#ops'
    #     severity: [warning, critical]
    #     clusters: ['prod*']
    #     group: 30
    #     # Salt renders this file with Jinja first; raw keeps the template as it is.
    #     template: '{% raw %}{{ severity | upper }} {{ cluster }}: {{ text }}{% endraw %}'
  # What all clusters are, for node_exporter's textfile collector (docs/metrics.md).
  # metrics: {textfile: /var/lib/prometheus/node-exporter/keepalived_hub.prom}
