"""The page: what is known of the clusters, as one HTML file.

``history`` and ``numbers`` make plain data of what the hub or the nodes told, ``sheet`` lays all of
it side by side, ``document`` makes the file.  The page's style and its scripts are the modules
``style*`` and ``script_*``, each one text: Salt's sync carries nothing but Python
(docs/decisions/0010).
"""
