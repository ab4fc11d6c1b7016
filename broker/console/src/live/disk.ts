// disk.ts - how full the store and its disk are, from the broker's figures.

export interface Disk {
    used: number; // bytes of the store
    limit: number; // what it may grow to
    free: number; // bytes of the disk; 0: not told
    full: number; // 0 … 1, as the broker reckons it: of the store's limit or of its disk
    of: "store" | "disk"; // which of the two that is
}

/* From here on the broker takes no new inquiries (BUSY). */
export const REFUSES_AT = 0.8;

export function diskOf(stats: Record<string, number>): Disk | null {
    const { store_used_bytes: used, store_limit_bytes: limit, disk_free_bytes: free, disk_total_bytes: total } = stats;
    if (used === undefined || !limit) return null;
    const store = used / limit;
    const told = stats.store_fullness; // in thousandths; an older broker does not tell it
    if (told !== undefined) return { used, limit, free: free ?? 0, full: told / 1000, of: told > store * 1000 + 1 ? "disk" : "store" };
    const disk = total ? 1 - (free ?? 0) / total : 0;
    return { used, limit, free: free ?? 0, full: Math.max(store, disk), of: store >= disk ? "store" : "disk" };
}
