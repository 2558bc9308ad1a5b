# For networks that carry no multicast (most clouds): each node sends to its peers by address.
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
        # The other nodes' addresses on this interface, and this node's own as unicast_src_ip.
        # They come from "address" below; for a node without one, from the Salt mine, where the
        # highstate puts them.
        unicast_peer: auto
        virtual_ipaddress:
          - 192.168.1.220 dev eth1
        track_script:
          - chk_haproxy
  nodes:
    controller1: {address: 192.168.1.11}
    controller2: {address: 192.168.1.12}
    controller3: {address: 192.168.1.13}
  # An ordered list: controller3 gets 200, controller2 190, controller1 180.
  priorities:
    VI_PUBLIC: [controller3, controller2, controller1]
