"""What this project knows about keepalived, in plain Python: nothing here imports salt.

``conf`` reads and writes keepalived.conf, ``pillar`` turns pillar into configuration,
``check`` says whether a configuration is right and what applying it would do, ``node``
observes and changes one host, ``cluster`` reasons about many.  Imports point down only:
node, check and pillar may import conf; cluster imports none of them.
"""

__version__ = "0.1.0"
