from ._main import COMMANDS as COMMANDS
from ._main import GROUPS as GROUPS
from ._main import main as main
from .screen.exit import complain as complain
from .screen.exit import exit_code as exit_code
from .screen.exit import warnings_as_lines as warnings_as_lines
from .screen.progress import progress_on_terminal as progress_on_terminal
from .sweep.options import assignments as assignments
