# Everything a node of a keepalived cluster needs. The order is the order of the work: VRRP may
# pass and the watch listens before keepalived starts. Not here: keepalived.master (for the
# master's own minion) and keepalived.clean.
include:
  - keepalived.modules
  - keepalived.valid
  - keepalived.package
  - keepalived.scripts
  - keepalived.sysctl
  - keepalived.firewall
  - keepalived.watch
  - keepalived.config
  - keepalived.service
  - keepalived.events
  - keepalived.metrics
