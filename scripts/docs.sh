#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# docs.sh: builds the documents with Sphinx, into build/docs/html, and our page of the
# kernel's own. Every warning is a failure, as is what kernel-doc complains of.

. "$(dirname "$0")/lib.sh"

"$ROOT/scripts/packages.sh" build docs
"$ROOT/scripts/tree.sh"
TREE=$(kernel_tree)
DOCS=$BUILD/docs
SOURCES=$DOCS/sources
KERNELS_OWN=$DOCS/kernel

# Ours by the paths that the documents name, and the kernel's with our patches.
link_sources()
{
	rm -rf "$SOURCES"
	mkdir -p "$SOURCES"
	ln -s -t "$SOURCES" "$ROOT"/{ttm_fence_lru,swgpu} "$TREE"/{drivers,include}
}

# The page of the series, and TTM's, which leads to it: all of the kernel's take too long.
link_kernels_own()
{
	rm -rf "$KERNELS_OWN"
	mkdir -p "$KERNELS_OWN/Documentation/gpu"
	ln -s -t "$KERNELS_OWN" "$TREE"/{drivers,include}
	ln -s -t "$KERNELS_OWN/Documentation/gpu" "$TREE"/Documentation/gpu/{drm-mm,ttm-fence-lru}.rst
}

# sphinx <sources> <pages> <output> [<option> ...]: all pages anew each time, as Sphinx does
# not repeat the warnings of a page that it knows.
sphinx()
{
	srctree=$TREE KERNEL_TREE=$TREE DOC_SOURCES=$1 sphinx-build -b html -E -T -q \
		-c "$ROOT/Documentation" -d "$3.doctrees" "${@:4}" "$2" "$3"
}

build_ours()
{
	KDOC_WERROR=1 sphinx "$SOURCES" "$ROOT/Documentation" "$DOCS/html" -W --keep-going
	"$ROOT/scripts/check-reference.py" "$DOCS/html/objects.inv"
}

# A kernel complains of its own files, too: only what the series touches is to be clean.
build_kernels_own()
{
	sphinx "$KERNELS_OWN" "$KERNELS_OWN/Documentation" "$DOCS/kernel-html" \
		-D root_doc=gpu/drm-mm 2>"$DOCS/complaints" || { cat "$DOCS/complaints"; return 1; }
	! grep -F -f <(touched_files "${PATCH_SERIES[@]}") "$DOCS/complaints"
}

build_pages()
{
	build_ours
	build_kernels_own
}

link_sources
link_kernels_own
run_step docs "building the documents" "Each complaint names the file and the line." build_pages
say "$DOCS/html/index.html"
