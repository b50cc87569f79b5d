#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Makes the BIOS image of an emulated GeForce.

The code is the LGPL VGABIOS of Bochs; added are the tables without which nouveau gives up:
PCI data, a BIT with empty init scripts and limits of PLLs, and a DCB with one analog output.
They are laid out as nouveau reads them, in drivers/gpu/drm/nouveau/nvkm/subdev/bios/.
"""
import argparse
import pathlib
import struct
import sys

SIZE = 0x10000
BLOCK = 512

# Where the tables are: behind the code.
BIT, INFO, INIT, SCRIPTS, CLOCKS, PLLS, DCB = range(0xf000, 0xf700, 0x100)
# Where their addresses are, and that of the PCI data, which the code has.
DCB_POINTER, PCIR_POINTER = 0x36, 0x18

# The models of Bochs: PCI device, chip as in the version of the BIOS.
MODELS = {
    'geforce3': (0x0202, 0x20),
    'geforcefx5900': (0x0331, 0x35),
    'geforce6800': (0x0045, 0x40),
}


def bit(entries):
    """The table of tables: entries are (id, version, length, offset)."""
    head = struct.pack('<BB3sBHBBBB', 0xff, 0xb8, b'BIT', 0, 0x100, 12, 6, len(entries), 0)
    return head + b''.join(struct.pack('<cBHH', *entry) for entry in entries)


def info(chip):
    """Version, and no table of DAC loads."""
    return bytes((0, 0, chip, 5)) + bytes(16)


def pll(register):
    """Limits in MHz of a PLL with two stages."""
    return struct.pack('<I8H8BBBBI', register, 128, 350, 400, 1000, 1, 35, 27, 400,
                       1, 255, 1, 13, 4, 70, 1, 4, 0, 6, 0, 0)


def plls():
    entries = [pll(register) for register in (0x680508, 0x680520, 0x680500, 0x680504,
                                              0x004000, 0x004020)]
    return bytes((0x20, 8, len(entries[0]), len(entries))) + bytes(4) + b''.join(entries)


def dcb():
    """One analog output on the first head; no I2C bus."""
    buses = DCB + 24
    head = struct.pack('<BBHI', 0x20, 0, buses, 0x4edcbdcb)
    return head + struct.pack('<IIII', 0x010001f0, 40000, 0xe, 0) + b'\xff' * 64


def pcir_of(code):
    """Where the code has its PCI data, or None."""
    (pcir,) = struct.unpack_from('<H', code, PCIR_POINTER)
    return pcir if code[pcir:pcir + 4] == b'PCIR' else None


def image(code, device, chip):
    rom = bytearray(code.ljust(SIZE, b'\0'))
    pcir = pcir_of(code)

    def put(offset, data):
        rom[offset:offset + len(data)] = data

    rom[2] = SIZE // BLOCK
    put(pcir + 4, struct.pack('<HH', 0x10de, device))
    put(pcir + 16, struct.pack('<H', SIZE // BLOCK))
    put(DCB_POINTER, struct.pack('<H', DCB))
    put(BIT, bit([(b'i', 2, len(info(chip)), INFO), (b'I', 1, 14, INIT), (b'C', 1, 10, CLOCKS)]))
    put(INFO, info(chip))
    put(INIT, struct.pack('<H', SCRIPTS) + bytes(12))
    put(CLOCKS, bytes(8) + struct.pack('<H', PLLS))
    put(PLLS, plls())
    put(DCB, dcb())
    rom[-1] = -sum(rom[:-1]) & 0xff
    return bytes(rom)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('model', choices=MODELS)
    parser.add_argument('code', type=pathlib.Path, help='the LGPL VGABIOS')
    parser.add_argument('rom', type=pathlib.Path, help='the image to make')
    args = parser.parse_args()

    code = args.code.read_bytes()
    if code[:2] != b'\x55\xaa' or len(code) > BIT or not pcir_of(code):
        sys.exit(f'error: {args.code}: not the VGABIOS of a PCI card, of less than {BIT} bytes')
    args.rom.write_bytes(image(code, *MODELS[args.model]))


if __name__ == '__main__':
    main()
