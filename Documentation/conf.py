# SPDX-License-Identifier: GPL-2.0 OR MIT
"""How Sphinx builds these documents: with the kernel's own extensions.

scripts/docs.sh calls it, and says where the kernel's tree is (KERNEL_TREE) and below which
directory kernel-doc finds the sources (DOC_SOURCES).
"""

import os
import sys

TREE = os.environ['KERNEL_TREE']
sys.path.insert(0, f'{TREE}/Documentation/sphinx')

project = 'Fence-ordered LRU and delayed destroy for TTM'
extensions = ['kerneldoc', 'automarkup']
kerneldoc_bin = f'{TREE}/scripts/kernel-doc'
kerneldoc_srctree = os.environ['DOC_SOURCES']

html_theme = 'alabaster'
html_show_copyright = False
primary_domain = 'c'
highlight_language = 'none'

# A reference to what is ours must lead there. Names of the kernel are explained in the
# kernel's own documents.
nitpicky = True
nitpick_ignore_regex = [('c:.*', r'(?!ttm_fence_lru|ttm_bo_group|ttm_submission|drm_swgpu).*')]
# It is private to the engine.
nitpick_ignore = [('c:type', 'ttm_fence_lru_blocker'), ('c:struct', 'ttm_fence_lru_blocker')]

# What stands before a name and is no type, as in the kernel's own configuration.
c_id_attributes = ['__rcu', '__user', '__must_check', '__printf', '__counted_by']
