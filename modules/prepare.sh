#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# prepare.sh <release>: makes the sources complete that the package has put here, for the
# kernel of which "uname -r" says so: TTM and nouveau come from Debian's linux-source of its
# very release, and get the patches. Nothing is guessed: what does not fit is said, in lines
# that begin with "ttm-fence-lru:", and the kernel keeps its own nouveau.

set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"

RELEASE=$1
# Where linux-source puts it; another place is for tests.
SOURCES=${SOURCES:-/usr/src}
# What the modules are built of, and what the first patch changes.
DRM="drivers/gpu/drm"
WANTED=(Makefile "$DRM"/{Makefile,Kconfig,ttm,nouveau,drm_gem_ttm_helper.c,drm_fbdev_ttm.c}
	include/drm/ttm include/uapi/drm/{drm,drm_mode}.h)

does_not_fit()
{
	printf 'ttm-fence-lru: %s\n' "$@"
	exit 1
}

# TTM's series and nouveau's are there for the kernels that the modules are made for.
choose_series()
{
	local there

	[ ! -d "series/$KERNEL" ] || return 0
	there=$(find series -name '*-nouveau' -printf '%f\n' | sed 's/-nouveau$//' | sort -V)
	does_not_fit "there are no modules for Linux $KERNEL yet, but for ${there//$'\n'/, }"
}

# The command that installs the source that the kernel was built of.
advice()
{
	local version

	version=$(dpkg-query -W -f '${Version}' "linux-headers-$RELEASE" 2>/dev/null || true)
	printf '  apt-get install linux-source-%s' "$KERNEL${version:+=$version}"
}

# The first file of that name in the archive is the one.
source_release()
{
	tar -xJOf "$TARBALL" --occurrence=1 "linux-source-$KERNEL/Makefile" |
		sed -n -E 's/^(VERSION|PATCHLEVEL|SUBLEVEL) = *//p' | paste -sd .
}

find_source()
{
	local found

	TARBALL=$SOURCES/linux-source-$KERNEL.tar.xz
	[ -e "$TARBALL" ] ||
		does_not_fit "the source of Linux $POINT is not installed; this installs it:" "$(advice)"
	found=$(source_release || true)
	[ "$found" = "$POINT" ] ||
		does_not_fit "the kernel is Linux $POINT, but $TARBALL is of ${found:-no kernel}" \
			"this installs the source that fits:" "$(advice)"
}

take_source()
{
	local complaints

	rm -rf linux
	mkdir linux
	tar -C linux -I 'xz -T0' -xf "$TARBALL" --strip-components=1 \
		"${WANTED[@]/#/linux-source-$KERNEL/}" 2>tar.log || {
		mapfile -t complaints <tar.log
		does_not_fit "Linux $POINT has not all that is wanted:" "${complaints[@]/#/  }"
	}
}

# What patch said of hunks that failed, and the text of these.
failed_hunks()
{
	awk '/^(checking|patching) file / { file = $3 }
		/^Hunk #[0-9]+ FAILED/ { print "  " file ": hunk " substr($2, 2) ", at line " $5 + 0 }
		/^can.t find file/ { lost = 1 }
		lost && /^\|--- a\// { print "  " substr($2, 3) " is not there"; lost = 0 }' patch.log
	find linux -name '*.rej' -exec head -n 20 {} + | sed 's/^/  | /'
}

# takes <patch> [<option> ...]: whether patch applies it, so.
takes()
{
	patch -d linux -p1 --fuzz=0 --no-backup-if-mismatch --force "${@:2}" <"$1" >patch.log 2>&1
}

# has <patch>: whether all of it is there already, as what a later release mended. That it
# applies is asked first: what only removes lines could be taken back anywhere.
has()
{
	! takes "$1" --dry-run && takes "$1" --dry-run --reverse
}

# fitting <patch>: it, or the same patch for a newer kernel: a stable release may have taken what
# that has. If none applies, it.
fitting()
{
	local patch

	for patch in $(printf '%s\n' series/*/"${1##*/}" | sort -V | sed -n "\|^$1\$|,\$p"); do
		if takes "$patch" --dry-run; then
			printf '%s' "$patch"
			return
		fi
	done
	printf '%s' "$1"
}

apply()
{
	local patch hunks

	for patch in series/"$KERNEL"/*.patch series/"$KERNEL"-nouveau/*.patch private.patch; do
		if has "$patch"; then
			echo "Linux $POINT has it already: $patch"
			continue
		fi
		patch=$(fitting "$patch")
		takes "$patch" || {
			mapfile -t hunks < <(failed_hunks)
			does_not_fit "$patch does not apply to Linux $POINT:" "${hunks[@]}"
		}
	done
}

# Our makefiles include the kernel's.
complete()
{
	mv linux/$DRM/nouveau/Kbuild linux/$DRM/nouveau/Kbuild.kernel
	cp -r linux/{drivers,include} .
	rm -r linux
	./private-symbols.sh . >private-symbols.h
}

[[ $RELEASE =~ ^([0-9]+\.[0-9]+)\.[0-9]+ ]] || does_not_fit "$RELEASE is no release of Linux"
POINT=${BASH_REMATCH[0]}
KERNEL=${BASH_REMATCH[1]}
choose_series
find_source
take_source
apply
complete
echo "The sources are Linux $POINT's, patched."
