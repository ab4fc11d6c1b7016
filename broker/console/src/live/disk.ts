// disk.ts - how full the store is, from the broker's figures.

export interface Disk {
    used: number; // bytes
    size: number;
}

export function diskOf(stats: Record<string, number>): Disk | null {
    const used = stats.map_used_bytes;
    const size = stats.map_size_bytes;
    return used !== undefined && size ? { used, size } : null;
}
