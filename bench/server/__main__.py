"""The flag server's process, ``python -m bench.server``: started, told and stopped over its pipes."""

from bench.server.control_server import main

if __name__ == "__main__":
    main()
