# This node's metrics for node_exporter's textfile collector, written by a timer with the watch's
# library and without Salt (docs/metrics.md); taken away again when the pillar key goes.
{%- from "keepalived/map.jinja" import keepalived with context %}
{%- from "keepalived/metrics.jinja" import units with context %}

include:
  - keepalived.modules
  - keepalived.valid
  - keepalived.watch
{%- if keepalived.synced and keepalived.systemd %}
{{ units("keepalived-metrics", keepalived.metrics_service, keepalived.metrics,
         {"library": keepalived.watch_library},
         [{"keepalived_pillar": "keepalived-pillar-valid"}, {"keepalived": "keepalived-watch-installed"}]) }}
{%- endif %}
