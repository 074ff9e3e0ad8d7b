"""Run the flag server's process, ``python -m bench.server``, under control of its pipes."""

from bench.server.control_server import main

if __name__ == "__main__":
    main()
