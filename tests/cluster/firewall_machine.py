"""A machine with firewalld for the tests: what it is asked, and packets that get in or do not."""

import json
import subprocess
import sys

NAME = "firewall1"
DIRECT = "/etc/firewalld/direct.xml"
RECORD = "/var/lib/salt-keepalived/firewall.json"

RULE = {
    "ipv": "ipv4",
    "table": "filter",
    "chain": "INPUT",
    "priority": 0,
    "args": "-i eth1 -d 224.0.0.0/8 -j ACCEPT",
}
WORDS = "ipv4 filter INPUT 0 -i eth1 -d 224.0.0.0/8 -j ACCEPT"
FOREIGN_RULE = 'ipv4 filter INPUT 5 -p tcp --dport 81 -m comment --comment "it\'s mine" -j DROP'
FOREIGN_RICH = 'rule family="ipv4" source address="192.0.2.9" reject'
VRRP4 = 'rule family="ipv4" destination address="224.0.0.18" protocol value="vrrp" accept'

VRRP, AH = 112, 51
SENT = 8

RECEIVER = """
import select, socket, struct, sys, time
family, group, protocol, sender, seconds = sys.argv[1:]
index = struct.pack("=i", socket.if_nametoindex("eth1"))
if family == "6":
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, int(protocol))
    if group != "-":
        joined = socket.inet_pton(socket.AF_INET6, group) + index
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, joined)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, int(protocol))
    if group != "-":
        joined = socket.inet_aton(group) + socket.inet_aton("0.0.0.0") + index
        s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
print("ready", flush=True)
count, end = 0, time.monotonic() + float(seconds)
while (left := end - time.monotonic()) > 0 and count < 100:
    if select.select([s], [], [], left)[0]:
        count += s.recvfrom(2048)[1][0].split("%")[0] == sender
print(count)
"""

SENDER = """
import socket, sys, time
target, protocol, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if ":" in target:
    s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    address = (target, 0, 0, socket.if_nametoindex("br-vip"))
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
    local = socket.inet_aton("192.168.1.250")
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    address = (target, 0)
for _ in range(count):
    s.sendto(bytes([0x21, 200, 1, 0, 0, 1]) + bytes(14), address)
    time.sleep(0.03)
"""


# salt-call without its start of a second and a half: one process that loads pillar and modules
# anew for every call, as salt-call does.
CALLER = """
import json, sys
import salt.client, salt.config
for line in sys.stdin:
    function, args, kwargs = json.loads(line)
    opts = salt.config.minion_config("/etc/salt/minion")
    opts["file_client"] = "local"
    answer = salt.client.Caller(mopts=opts).cmd(function, *args, **kwargs)
    print("answer", json.dumps(answer), flush=True)
"""

# Both ways to ask firewalld, the bus and its command, side by side.
COMPARE = """
import shutil, subprocess, sys
sys.path.insert(0, "/srv/salt/_utils")
from keepalived_core.node.firewalld import PERMANENT, RUNTIME, Firewalld

asked = []
def run(argv):
    asked.append(argv[0])
    done = subprocess.run(argv, capture_output=True, text=True)
    return {"retcode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

def answers(firewalld):
    return [firewalld.default_zone(), *(firewalld.zones(place) for place in (RUNTIME, PERMANENT)),
            *(firewalld.holds(place, "rule", words) for place in (RUNTIME, PERMANENT)
              for words in RULES)]

RULES = [line.split() for line in sys.argv[1:]]
by_bus = answers(Firewalld(run))
programs, asked[:] = set(asked), []
by_command = answers(Firewalld(run, which=lambda name: name != "busctl" and shutil.which(name)))
assert by_bus == by_command, (by_bus, by_command)
print(programs, set(asked), by_bus)
"""


class Machine:
    """The machine under test and the questions these tests ask it."""

    def __init__(self, lab, node):
        self.lab, self.node = lab, node
        self.caller = subprocess.Popen(
            node.command(["/opt/salt/bin/python3", "-W", "ignore", "-c", CALLER]),
            env=node.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )

    def close(self):
        self.caller.stdin.close()
        self.caller.wait(timeout=20)

    def verb(self, function, *args, **kwargs):
        print(json.dumps([function, args, kwargs]), file=self.caller.stdin)
        for line in self.caller.stdout:
            if line.startswith("answer "):
                return json.loads(line.partition(" ")[2])
        raise AssertionError(f"{function}: the caller ended")

    def shell(self, command, **kwargs):
        return self.node.run(["sh", "-c", command], **kwargs).stdout.strip()

    def restart(self):
        """systemd calls firewalld started before its rules are in force; it answers after."""
        # reset-failed: systemd counts starts, and more than five in ten seconds are too many.
        self.shell(
            "systemctl reset-failed firewalld; systemctl restart firewalld && firewall-cmd --state"
        )

    def firewall_cmd(self, *words):
        return self.node.run(["firewall-cmd", *words]).stdout.strip()

    def single(self, function, **kwargs):
        """One state; its return."""
        answer = self.verb("state.single", function, name="tested", **kwargs)
        assert isinstance(answer, dict), answer
        (state,) = answer.values()
        return state

    def formula(self, **kwargs):
        """The formula's firewall part; {state id: return}."""
        answer = self.verb("state.apply", "keepalived.firewall", **kwargs)
        assert isinstance(answer, dict), answer
        return {state["__id__"]: state for state in answer.values()}

    def pillar(self, data):
        self.node.write_file(
            "/srv/pillar/tested.sls", "#!json\n" + json.dumps({"keepalived": data})
        )
        self.node.write_file("/srv/pillar/top.sls", json.dumps({"base": {"*": ["tested"]}}))

    def direct(self):
        """{place: [printed rule]}; None for the runtime of a stopped firewalld."""
        words = ["--direct", "--get-all-rules"]
        runtime = self.node.run(["firewall-cmd", *words], check=False)
        if runtime.returncode == 252:
            permanent = self.node.run(["firewall-offline-cmd", *words]).stdout
            return {"runtime": None, "permanent": permanent.splitlines()}
        return {
            "runtime": runtime.stdout.splitlines(),
            "permanent": self.firewall_cmd("--permanent", *words).splitlines(),
        }

    def rich(self, zone="public"):
        return {
            "runtime": self.firewall_cmd(f"--zone={zone}", "--list-rich-rules").splitlines(),
            "permanent": self.firewall_cmd(
                "--permanent", f"--zone={zone}", "--list-rich-rules"
            ).splitlines(),
        }

    def everything(self):
        """All there is of firewalld, to see that nothing changed."""
        return self.shell(
            "cd /etc/firewalld && find . -type f | sort | xargs md5sum;nft --stateless list ruleset"
        )

    def passed(self, target, protocol=VRRP):
        """How many of the client's packets to *target* get behind the firewall."""
        multicast = target.startswith(("224.", "239.", "ff"))
        family = "6" if ":" in target else "4"
        sender = "192.168.1.250" if family == "4" else self.client_link_local()
        words = [family, target if multicast else "-", str(protocol), sender, "1.5"]
        receiver = self.node.popen(["python3", "-c", RECEIVER, *words])
        assert receiver.stdout.readline().strip() == "ready"
        self.lab.client_command(
            [sys.executable, "-c", SENDER, target, str(protocol), str(SENT)], timeout=20
        )
        out, _ = receiver.communicate(timeout=20)
        return int(out.split()[-1])

    def client_link_local(self):
        out = self.lab.client_command(["ip", "-j", "-6", "addr", "show", "dev", "br-vip"]).stdout
        (address,) = [
            item["local"] for item in json.loads(out)[0]["addr_info"] if item["scope"] == "link"
        ]
        return address
