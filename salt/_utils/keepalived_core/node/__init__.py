"""One host: the keepalived process, its dumps, addresses, notify FIFO, watch and spool."""
