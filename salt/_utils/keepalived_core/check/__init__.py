"""Is a configuration right, and what would applying it do?"""
