/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The boot sector of a guest that needs no operating system: it counts, and
 * writes what it counts to the disk that it was read from, without end.
 *
 *	sector 1	how far it has counted, by all boots so far
 *	sectors 2 - 65	each of the last 64 numbers, in sector 2 + number % 64
 *
 * A number goes to its own sector first, then to sector 1; when both writes
 * have been answered a dot goes to the port of QEMU's debug console. "!" is the
 * end: the firmware has reported an error.
 */
	.code16
	.text
	.globl	_start

	.set	console, 0xe9
	.set	count, 0x8000		/* the sector in memory */
	.set	numbers, 64

_start:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$_start, %sp
	cld
	movb	%dl, drive

	movb	$0x42, %ah		/* read */
	call	transfer

again:
	incl	count
	movl	count, %eax
	andl	$(numbers - 1), %eax
	addl	$2, %eax
	movl	%eax, sector
	movw	$0x4300, %ax		/* write */
	call	transfer
	movl	$1, sector
	movw	$0x4300, %ax
	call	transfer
	movb	$'.', %al
	outb	%al, $console
	jmp	again

transfer:
	movb	drive, %dl
	movw	$packet, %si
	int	$0x13
	jc	failed
	ret

failed:
	movb	$'!', %al
	outb	%al, $console
halt:
	hlt
	jmp	halt

drive:
	.byte	0
	.balign	4
packet:					/* of the extended int 0x13 */
	.byte	16, 0
	.word	1			/* sectors */
	.word	count, 0
sector:
	.quad	1

	.org	_start + 510
	.word	0xaa55
