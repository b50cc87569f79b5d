#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""check-reference.py <objects.inv>: whether the built documents describe every function
that the engine and TTM's patches export."""

import glob
import os
import re
import sys
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KERNEL = os.environ['KERNEL']

# Only inline functions of a header call them, and these are described.
INTERNAL = {'ttm_submission_flush', 'ttm_fence_lru_free_links'}


def exported():
    """Names that drivers can link to; what is exported for tests only is not among them."""
    names = set()
    for pattern in ('ttm_fence_lru/*.c', f'patches/{KERNEL}/*.patch', 'patches/common/*.patch'):
        for path in glob.glob(f'{ROOT}/{pattern}'):
            with open(path, encoding='utf-8') as file:
                names.update(re.findall(r'^\+?EXPORT_SYMBOL(?:_GPL)?\((\w+)\)', file.read(), re.M))
    return names


def described(inventory):
    """Names of C functions in an inventory of Sphinx: four lines, then what is compressed."""
    with open(inventory, 'rb') as file:
        text = zlib.decompress(file.read().split(b'\n', 4)[4]).decode()
    return set(re.findall(r'^(\w+) c:function ', text, re.M))


def main():
    names = exported()
    missing = sorted(names - INTERNAL - described(sys.argv[1]))
    for name in missing:
        print(f'error: {name}() is exported and described nowhere in Documentation/')
    return bool(missing) or not names


sys.exit(main())
