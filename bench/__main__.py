import sys
from pathlib import Path

# The client library is measured, too, and is not installed beside the service.
sys.path.insert(1, str(Path(__file__).parents[1] / "sdk" / "python" / "src"))

from bench.command import main

main()
