// disk.ts - how full the store and its disk are, from the broker's figures.

export interface Disk {
    used: number; // bytes of the store
    limit: number; // what it may grow to
    free: number; // bytes of the disk; 0: not told
    full: number; // 0 … 1: of the store or of its disk, whichever is nearer to its end
    of: "store" | "disk"; // which of the two that is
}

/* From here on the broker takes no new inquiries (BUSY). */
export const REFUSES_AT = 0.8;

export function diskOf(stats: Record<string, number>): Disk | null {
    const { store_used_bytes: used, store_limit_bytes: limit, disk_free_bytes: free, disk_total_bytes: total } = stats;
    if (used === undefined || !limit) return null;
    const store = used / limit;
    const disk = total ? 1 - (free ?? 0) / total : 0;
    return { used, limit, free: free ?? 0, full: Math.max(store, disk), of: store >= disk ? "store" : "disk" };
}
