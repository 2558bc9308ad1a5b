# What state.highstate applies to whom; the pillar of each is assigned in pillar/top.sls.
base:
  'controller*':
    - keepalived
  'master*':
    - keepalived.master
