# The same VIP service for IPv4 and IPv6. One instance speaks one family, so there are two. They
# may share a virtual_router_id, for each family counts for itself.
keepalived:
  cluster: controllers
  config:
    global_defs:
      enable_script_security: true
      script_user: root
    vrrp_script:
      chk_haproxy:
        script: /usr/bin/killall -0 haproxy
        interval: 2
    vrrp_instance:
      VI_PUBLIC:
        interface: eth1
        state: BACKUP
        virtual_router_id: 52
        virtual_ipaddress:
          - 192.168.1.220 dev eth1
        track_script:
          - chk_haproxy
      VI_PUBLIC_V6:
        interface: eth1
        state: BACKUP
        virtual_router_id: 52
        # RFC 5798: the first address of an IPv6 virtual router is link-local.
        virtual_ipaddress:
          - fe80::220 dev eth1
          - 2001:db8:1::220/64 dev eth1
        track_script:
          - chk_haproxy
  nodes:
    controller1: {}
    controller2: {}
    controller3: {}
  priorities:
    VI_PUBLIC: [controller3, controller2, controller1]
    VI_PUBLIC_V6: [controller3, controller2, controller1]
