#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# mesa-tree.sh: makes build/mesa/tree, a Debian 13 with Mesa for guests. Its packages are unpacked
# there, not installed: so nobody needs to be root, and this machine's Mesa is not touched.
#
# MESA_PACKAGES="<name> ..."  more of Debian 13's packages

. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt-lib.sh"

TREE=$BUILD/mesa/tree
PACKAGES=(base-files bash coreutils mesa-vulkan-drivers vulkan-tools libvulkan-dev
	libegl1 libegl-dev libgles2 libgles-dev libgl1-mesa-dri)
read -ra more <<<"${MESA_PACKAGES:-}"
PACKAGES+=("${more[@]}")
# shellcheck disable=SC2034 # for_some_suite's
SUITES=(trixie)
DEBS=$BUILD/mesa/deb

# As if nothing were installed: with all that they depend on.
fetch_packages()
{
	private_apt apt-get -o Dir::State::status="$BUILD/mesa/status" \
		-o Dir::State::extended_states=/dev/null -o Dir::Cache::archives="$DEBS" \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o Debug::NoLocking=1 \
		install --download-only --yes --no-install-recommends "${PACKAGES[@]}"
}

fetch()
{
	can_fetch
	rm -rf "$DEBS"
	mkdir -p "$DEBS/partial"
	: >"$BUILD/mesa/status"
	for_some_suite fetch_packages
}

# The first one has the links that the others' files are behind.
unpack()
{
	local deb

	rm -rf "$TREE" "$TREE.new"
	mkdir -p "$TREE.new"
	dpkg-deb -x "$DEBS"/base-files_*.deb "$TREE.new"
	for deb in "$DEBS"/*.deb; do
		dpkg-deb -x "$deb" "$TREE.new"
	done
	say "${PACKAGES[*]}" >"$TREE.new/packages"
	mv "$TREE.new" "$TREE"
	rm -rf "$DEBS"
}

[ "$(cat "$TREE/packages" 2>/dev/null)" != "${PACKAGES[*]}" ] || exit 0
run_step fetch-mesa "getting Debian 13's Mesa" "Check the network (or set DEBIAN_MIRROR=)" fetch
run_step unpack-mesa "unpacking it" "Is there room for 1 GB below build/? Then try again." unpack
