"""Where keepalived.conf(5) describes what stands at the top of a configuration."""

from __future__ import annotations

_GLOBAL = "Global definitions"
_STATIC = "Static routes/addresses/rules"
_FILES = "Track files"

#: The outermost keyword, and the heading of the manual page (2.2.7) under which it stands.
SECTION = {
    "linkbeat_use_polling": _GLOBAL,
    "net_namespace": _GLOBAL,
    "net_namespace_ipvs": _GLOBAL,
    "namespace_with_ipsets": _GLOBAL,
    "use_pid_dir": _GLOBAL,
    "instance": _GLOBAL,
    "child_wait_time": _GLOBAL,
    "global_defs": _GLOBAL,
    "track_group": "Static track groups",
    "static_ipaddress": _STATIC,
    "static_routes": _STATIC,
    "static_rules": _STATIC,
    "vrrp_sync_group": "VRRP synchronization group(s)",
    "garp_group": "VRRP gratuitous ARP and unsolicited neighbour advert delay group(s)",
    "linkbeat_interfaces": "Linkbeat interfaces",
    "vrrp_instance": "VRRP instance(s)",
    "vrrp_script": "VRRP script(s)",
    "vrrp_track_process": "VRRP track processes",
    "interface_up_down_delays": "Interface up/down status change debouncing",
    "bfd_instance": "BFD CONFIGURATION",
    "track_file": _FILES,
    "vrrp_track_file": _FILES,
    "SSL": "Virtual server(s)",
    "virtual_server_group": "Virtual server group(s)",
    "virtual_server": "Virtual server(s)",
}
