# The classic case: three controllers, one virtual IP (VIP) for the HAProxy on each of them.
#
# How VRRP works, in four lines: the nodes of a cluster watch each other on one network. The one
# with the highest priority is MASTER and holds the VIP; it says "I am here" once a second. When
# that stops, or the master's own check fails, the next in line (a BACKUP) takes the VIP over, in
# about three seconds. A node whose check fails is in FAULT and takes no part.
#
# Names below keepalived:config are those of keepalived.conf(5). Unknown ones are an error.
keepalived:
  # The cluster's name in events, status and timeline.
  cluster: controllers

  config:
    global_defs:
      # Run check scripts only when nobody but root could have changed them, and as root.
      # Without these two keepalived logs SECURITY VIOLATION.
      enable_script_security: true
      script_user: root

    vrrp_script:
      # Exit status 0: a process named haproxy exists. Always the full path.
      chk_haproxy:
        script: /usr/bin/killall -0 haproxy
        interval: 2                # seconds

    vrrp_instance:
      VI_PUBLIC:
        interface: eth1            # where the nodes see each other
        state: BACKUP              # only how it starts; the priorities decide
        virtual_router_id: 52      # 1..255; the same on all nodes, unique on that network
        virtual_ipaddress:
          - 192.168.1.220 dev eth1
        track_script:
          - chk_haproxy            # fails: this node gives the VIP away

    # No vrrp_sync_group here: a group of one has no effect, and keepalived calls it an error
    # ("Sync group VG1 has only 1 virtual router(s)"). See sync-group.sls for a real one.

  # All members of the cluster, by minion id. A value may change config for that node alone:
  #   controller3: {config: {vrrp_instance: {VI_PUBLIC: {interface: ens3}}}}
  nodes:
    controller1: {}
    controller2: {}
    controller3: {}

  # Instance -> node -> priority (1..254). The highest healthy one holds the VIP. An ordered list
  # works too, the preferred node first: [controller3, controller2, controller1].
  priorities:
    VI_PUBLIC:
      controller1: 101
      controller2: 102
      controller3: 103

  firewall:
    # VRRP is let through by the formula on whatever backend firewalld has in force. This rule is
    # the one of the classic guides; by itself it does nothing with firewalld's nftables backend.
    direct_rules:
      - {ipv: ipv4, table: filter, chain: INPUT, priority: 0, args: -i eth1 -d 224.0.0.0/8 -j ACCEPT}

  # HAProxy may bind the VIP on the nodes that do not hold it.
  sysctl:
    ip_nonlocal_bind: true

  # What a reaction may do here, by the name of the check that failed. It restarts nothing else,
  # and not again before the cool-down (seconds) is over.
  remediation:
    chk_haproxy:
      restart_service: haproxy
      cooldown: 60
