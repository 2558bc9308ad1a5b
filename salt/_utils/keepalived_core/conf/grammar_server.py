"""keepalived.conf(5): LVS CONFIGURATION: virtual servers, real servers and their checkers."""

from __future__ import annotations

from dataclasses import replace

from .grammar_rows import rows

CHECKER = rows(
    "check_api.c",
    """
connect_ip          address            1.1.8   425   = real server address
connect_port        integer 1..65535   0.5.8   426   = real server port
bindto              address            1.1.2   427
bind_port           integer 1..65535   1.2.13  428   = 0
bind_if             text               1.3.7   429
connect_timeout     decimal US..SECS   0.5.3   430   = of real_server
fwmark              integer 0..U32     1.2.13  432   = 0
retry               integer 0..U32     1.1.8   435   = of real_server
delay_before_retry  decimal 0..TIMER   0.5.3   436   = of real_server
warmup              decimal 0..TIMER   1.2.13  437   = of real_server
delay_loop          decimal US..TIMER  0.5.3   438   = of real_server
alpha               switch             1.1.16  439   = of real_server
log_all_failures    switch             2.0.11  440   = global
    """,
)

# A script connects to nothing by itself.
MISC_COMMON = (
    "retry",
    "delay_before_retry",
    "warmup",
    "delay_loop",
    "alpha",
    "log_all_failures",
)

MISC_CHECK = rows(
    "check_misc.c",
    """
misc_path     script           0.5.3  212   last
misc_timeout  integer 0..4294  1.1.0  213   = delay_loop
misc_dynamic  flag             1.1.8  214
user          words 1..2       1.3.0  215   = script_user
    """,
)

SMTP_CHECK = rows(
    "check_smtp.c",
    """
helo_name  text   1.1.8  298   once since 2.2.8; = smtpchecker.keepalived.org
host       block  1.1.8  310
    """,
    host=CHECKER,
)

UDP_CHECK = rows(
    "check_udp.c",
    """
payload           words 1..         2.2.0  193
require_reply     words 0..         2.1.0  194   = false
min_reply_length  integer 0..65535  2.2.0  195   = 0
max_reply_length  integer 0..65535  2.2.0  196   = 255
    """,
)

URL = rows(
    "check_http.c",
    """
path              text         0.5.3  963   once since 2.2.8
digest            text         0.5.3  964   first
status_code       words 1..    0.7.6  965   = 200-299
virtualhost       text         0.5.8  966   once since 2.2.8
regex             script       2.0.7  968   once since 2.2.8
regex_no_match    flag         2.0.7  969
regex_options     words 1..    2.0.7  970
regex_min_offset  integer I32  2.0.7  971
regex_max_offset  integer I32  2.0.7  972
regex_stack       words 1..    2.0.7  974
    """,
)

TLS = rows(
    "check_http.c",
    """
tls_compliant  switch  2.2.8  960
    """,
)

HTTP_GET = rows(
    "check_http.c",
    """
nb_get_retry   integer 0..U32     0.5.3   952   use retry
virtualhost    text               0.5.8   953   once since 2.2.8
http_protocol  1.0|1.1|1.0C|1.0c  2.0.17  954   = 1.0C
enable_sni     switch             1.4.3   956
fast_recovery  switch             2.0.17  958
url            block              0.5.3   961
    """,
    url=URL,
)

SSL_GET = {
    **HTTP_GET,
    "url": replace(HTTP_GET["url"], children={**URL, **TLS}),
    **TLS,
}

DNS_CHECK = rows(
    "check_dns.c",
    """
type  text  1.3.0  554   = SOA
name  text  1.3.0  555   first; = .
    """,
)

FILE_CHECK = rows(
    "check_file.c",
    """
track_file  text                                       2.0.0  137
weight      integer -I32MAX..I32MAX reverse|noreverse  0.5.3  138
    """,
)

BFD_CHECK = rows(
    "check_bfd.c",
    """
name   text    1.3.0   257   first
alpha  switch  1.1.16  258   = of real_server
    """,
)

REAL_SERVER = rows(
    "check_parser.c",
    """
weight              integer 0..I32MAX  0.5.3   1002  = of virtual_server
lvs_method          words 1..          1.3.6   1003  = of virtual_server
uthreshold          integer 0..U32     1.1.13  1004
lthreshold          integer 0..U32     1.1.13  1005
inhibit_on_failure  switch             0.6.8   1006  = of virtual_server
notify_up           script             1.0.0   1007
notify_down         script             1.0.0   1008
alpha               switch             1.3.7   1009  = of virtual_server
retry               integer 1..U32     1.3.7   1010  = of virtual_server
delay_before_retry  decimal 0..TIMER   1.3.7   1011  = of virtual_server
warmup              decimal 0..TIMER   1.3.7   1012  = of virtual_server
connect_timeout     decimal US..SECS   0.5.3   1013  = of virtual_server
delay_loop          decimal US..TIMER  1.3.7   1014  = of virtual_server
smtp_alert          switch             2.0.0   1015  = global, else true
virtualhost         text               1.3.6   1016  once since 2.2.8
snmp_name           text               2.2.3   1018  once since 2.2.8
MISC_CHECK          block              0.5.3   check_misc.c:209
SMTP_CHECK          block              1.1.8   check_smtp.c:296
TCP_CHECK           block              0.5.3   check_tcp.c:88
PING_CHECK          block              2.1.0   check_ping.c:174
UDP_CHECK           block              2.1.0   check_udp.c:190
HTTP_GET            block              0.5.3   check_http.c:949
SSL_GET             block              0.5.3   check_http.c:949
DNS_CHECK           block              1.3.0   check_dns.c:551
FILE_CHECK          block              2.1.0   check_file.c:135
BFD_CHECK           block              2.0.0   check_bfd.c:255
    """,
    MISC_CHECK={**{name: CHECKER[name] for name in MISC_COMMON}, **MISC_CHECK},
    SMTP_CHECK={**CHECKER, **SMTP_CHECK},
    TCP_CHECK=CHECKER,
    PING_CHECK=CHECKER,
    UDP_CHECK={**CHECKER, **UDP_CHECK},
    HTTP_GET={**CHECKER, **HTTP_GET},
    SSL_GET={**CHECKER, **SSL_GET},
    DNS_CHECK={**CHECKER, **DNS_CHECK},
    FILE_CHECK=FILE_CHECK,
    BFD_CHECK=BFD_CHECK,
)

VIRTUAL_SERVER = rows(
    "check_parser.c",
    """
ip_family                inet|inet6          1.2.20  953   = from addresses
retry                    integer 1..U32      1.3.7   954   = 1
delay_before_retry       decimal 0..TIMER    1.3.7   955   = 1 s
warmup                   decimal 0..TIMER    1.3.7   956   = delay_loop
connect_timeout          decimal US..SECS    2.0.13  957   = 5 s
delay_loop               decimal US..TIMER   0.5.3   958   = 60 s
inhibit_on_failure       flag                1.3.7   959
lb_algo                  SCHEDULERS          0.5.3   960   = wlc
lvs_sched                SCHEDULERS          1.1.5   961   = wlc
hashed                   flag                1.3.0   963
ops                      flag                1.2.8   964
flag-1                   flag                1.3.0   966
flag-2                   flag                1.3.0   967
flag-3                   flag                1.3.0   968
sh-port                  flag                1.3.0   969
sh-fallback              flag                1.3.0   970
mh-port                  flag                2.0.20  971
mh-fallback              flag                2.0.20  972
lb_kind                  words 1..           0.5.3   974   = NAT
lvs_method               words 1..           1.1.5   975   = NAT
persistence_engine       text                1.2.20  976
persistence_timeout      integer 1..2678400  0.5.3   977   = 360 when bare; bare
persistence_granularity  words 1..1          0.5.7   978   = /32 (IPv4) /128 (IPv6)
protocol                 TCP|SCTP|UDP        0.5.3   979   any case; = UDP
ha_suspend               flag                1.0.0   980
smtp_alert               switch              2.0.0   981   = global, else false
virtualhost              text                0.5.8   982   once since 2.2.8
snmp_name                text                2.2.3   984   once since 2.2.8
alpha                    flag                1.1.16  988
omega                    flag                1.1.16  989
quorum_up                script              1.1.16  990
quorum_down              script              1.1.16  991
quorum                   integer 1..U32      1.1.16  992   = 1
hysteresis               integer 0..U32      1.1.16  993   = 0
weight                   integer 1..I32MAX   1.3.7   994   = 1
sorry_server             words 1..2          0.5.3   997
sorry_server_inhibit     flag                1.2.13  998
sorry_server_lvs_method  words 1..           1.3.6   999   = lb_kind
real_server              named 1..2          0.5.3   1000  many
    """,
    SCHEDULERS="rr|wrr|lc|wlc|lblc|sh|mh|dh|fo|ovf|lblcr|sed|nq|twos",
    real_server=REAL_SERVER,
)

SSL = rows(
    "check_parser.c",
    """
password     text  0.5.3  944   once; secret
ca           text  0.5.3  945   once
certificate  text  0.5.3  946   once
key          text  0.5.3  947   once
    """,
)

ROOT = rows(
    "check_parser.c",
    """
SSL                   block                 0.5.3  943
virtual_server_group  entries server_group  1.0.2  950   name
virtual_server        named 1..2            0.5.3  951   many
    """,
    SSL=SSL,
    virtual_server=VIRTUAL_SERVER,
)
