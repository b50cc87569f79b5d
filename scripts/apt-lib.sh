#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# How packages are fetched from Debian to be unpacked, not installed. To be sourced
# after lib.sh.
#
# DEBIAN_MIRROR=<url>  where to get them from

MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
# What is built for the older release runs on both.
case $KERNEL in
6.12) SUITES=(bookworm-backports trixie) ;;
*)    SUITES=(trixie-backports) ;;
esac
APT=$BUILD/apt
# shellcheck disable=SC2034 # for the script that sources this
DEBS=$APT/deb

# private_apt <tool> ...: apt with a configuration of our own: the system's is not
# touched, but its proxy settings hold, and so do the signatures.
private_apt()
{
	local tool=$1
	shift

	"$tool" -o Dir::Etc::sourcelist="$APT/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$APT/lists" -o Dir::Cache="$APT/cache" \
		-o APT::Sandbox::User=root -o Acquire::Languages=none \
		-o Acquire::Retries=3 "$@"
}

can_fetch()
{
	command -v apt-get >/dev/null || { say "there is no apt-get here"; return 1; }
	[ -e "$KEYRING" ] || { say "$KEYRING is missing"; return 1; }
}

# download <package> ...: into $DEBS, which had others before.
download()
{
	rm -rf "$DEBS"
	mkdir -p "$DEBS"
	(cd "$DEBS" && private_apt apt-get download "$@")
}

# for_some_suite <command> ...: that command with the first suite it succeeds for.
for_some_suite()
{
	local suite

	mkdir -p "$APT/lists/partial" "$APT/cache/archives/partial"
	for suite in "${SUITES[@]}"; do
		say "deb [signed-by=$KEYRING] $MIRROR $suite main" >"$APT/sources.list"
		if private_apt apt-get update && "$@"; then
			return 0
		fi
		say "$suite has not what is wanted, trying the next suite"
	done
	return 1
}
