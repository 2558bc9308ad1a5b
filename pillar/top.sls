# Which minion gets which pillar. All nodes of a cluster get the same one: their differences stand
# in it, under keepalived:nodes and keepalived:priorities.
base:
  'controller*':
    - keepalived.classic
  # The minion that runs on the Salt master itself: reactions and alerts.
  'master*':
    - keepalived.master
