# SPDX-License-Identifier: GPL-2.0-only
"""Boot Debian's kernel under QEMU and run one command in it."""
