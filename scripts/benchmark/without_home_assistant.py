"""Makes the client importable by its long name without its integration: import this first.

Home Assistant would make every process big and slow to start, and its garbage collector busy.
"""

from pathlib import Path
import sys
from types import ModuleType

_NAME = "custom_components.dlms_meter"

if _NAME not in sys.modules:
    _package = ModuleType(_NAME)
    _package.__path__ = [str(Path(__file__).parents[2] / _NAME.replace(".", "/"))]
    sys.modules[_NAME] = _package
