#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# docs.sh: builds the documents with Sphinx, into build/docs/html. Every warning is a
# failure, as is what kernel-doc complains of.

. "$(dirname "$0")/lib.sh"

"$ROOT/scripts/packages.sh" build docs
"$ROOT/scripts/tree.sh"
TREE=$(kernel_tree)
DOCS=$BUILD/docs
SOURCES=$DOCS/sources

# Ours by the paths that the documents name, and the kernel's with our patches.
link_sources()
{
	rm -rf "$SOURCES"
	mkdir -p "$SOURCES"
	ln -s -t "$SOURCES" "$ROOT"/{ttm_fence_lru,swgpu} "$TREE"/{drivers,include}
}

# All pages anew each time: Sphinx does not repeat the warnings of a page that it knows.
build_pages()
{
	KERNEL_TREE=$TREE DOC_SOURCES=$SOURCES KDOC_WERROR=1 sphinx-build -b html -E -T -q \
		-W --keep-going -d "$DOCS/doctrees" "$ROOT/Documentation" "$DOCS/html"
	"$ROOT/scripts/check-reference.py" "$DOCS/html/objects.inv"
}

link_sources
run_step docs "building the documents" "Each complaint names the file and the line." build_pages
say "$DOCS/html/index.html"
