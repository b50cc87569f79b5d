// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A bus with one device, so that nouveau finds what it looks for. The function has no BARs
 * that could be moved: what would be in them is where it is, and its resources only say so.
 */
#include <linux/err.h>
#include <linux/irq.h>
#include <linux/pci.h>

#include "board.h"

/* User-Mode Linux has its own at 0, and so has what QEMU emulates. */
#define BUS_NUMBER 1

static u8 config[PCI_CFG_SPACE_SIZE];

static struct resource bus_numbers = {
	.name = "nvsw bus",
	.start = BUS_NUMBER,
	.end = BUS_NUMBER,
	.flags = IORESOURCE_BUS,
};

static bool is_ours(unsigned int devfn, int where, int size)
{
	return devfn == 0 && where + size <= PCI_CFG_SPACE_SIZE;
}

static int read(struct pci_bus *bus, unsigned int devfn, int where, int size,
		u32 *value)
{
	PCI_SET_ERROR_RESPONSE(value);
	if (!is_ours(devfn, where, size))
		return PCIBIOS_DEVICE_NOT_FOUND;
	*value = 0;
	memcpy(value, &config[where], size);
	return PCIBIOS_SUCCESSFUL;
}

static int write(struct pci_bus *bus, unsigned int devfn, int where, int size,
		 u32 value)
{
	if (!is_ours(devfn, where, size))
		return PCIBIOS_DEVICE_NOT_FOUND;
	if (where == PCI_COMMAND && size == 2)
		memcpy(&config[where], &value, size);
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops ops = {
	.read = read,
	.write = write,
};

static void put16(int where, u16 value)
{
	memcpy(&config[where], &value, sizeof(value));
}

static void fill_config(void)
{
	put16(PCI_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	put16(PCI_DEVICE_ID, 0x1e07);
	put16(PCI_CLASS_DEVICE, PCI_CLASS_DISPLAY_3D);
	put16(PCI_SUBSYSTEM_VENDOR_ID, PCI_VENDOR_ID_NVIDIA);
	config[PCI_REVISION_ID] = 0xa1;
}

/*
 * nvkm wants an interrupt of its own. This one never comes: the chip calls nvkm itself. There is no
 * pin that it would come by, so nobody looks for it.
 */
static int make_irq(void)
{
	int irq = irq_alloc_desc(NUMA_NO_NODE);

	if (irq >= 0)
		irq_set_chip_and_handler(irq, &dummy_irq_chip,
					 handle_simple_irq);
	return irq;
}

static void set_resource(struct nvsw_board *board, int bar, phys_addr_t start,
			 u64 size)
{
	struct resource *resource = &board->pdev->resource[bar];

	/* Without flags nobody assigns it, or wants it to be claimed. */
	resource->start = start;
	resource->end = start + size - 1;
}

static int scan(struct nvsw_board *board, struct pci_host_bridge *bridge)
{
	int ret = pci_scan_root_bus_bridge(bridge);

	if (ret)
		return ret;
	board->pdev = pci_get_slot(bridge->bus, 0);
	if (!board->pdev)
		return -ENODEV;
	board->pdev->irq = board->irq;
	set_resource(board, NVSW_BAR_REGISTERS, board->registers,
		     NVSW_REGISTERS_SIZE);
	set_resource(board, NVSW_BAR_VRAM, board->vram_phys, board->vram_size);
	pci_bus_add_devices(bridge->bus);
	return 0;
}

int __init nvsw_bus_add(struct nvsw_board *board)
{
	struct pci_host_bridge *bridge;
	int ret;

	board->irq = make_irq();
	if (board->irq < 0)
		return board->irq;
	fill_config();
	bridge = pci_alloc_host_bridge(0);
	if (!bridge)
		return -ENOMEM;
	bridge->ops = &ops;
	bridge->sysdata = nvsw_arch_sysdata();
	bridge->busnr = BUS_NUMBER;
	pci_add_resource(&bridge->windows, &bus_numbers);
	pci_lock_rescan_remove();
	ret = scan(board, bridge);
	pci_unlock_rescan_remove();
	return ret;
}
