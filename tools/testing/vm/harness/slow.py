# SPDX-License-Identifier: GPL-2.0-only
"""Time on a kernel that looks for bugs, see selftests/vdpa/slow.c."""

import os
import re

# How many times longer the same work may take than on Debian's kernel.
SLOWNESS = 8 if re.search("-(debug|kcsan)-", os.uname().release) else 1
