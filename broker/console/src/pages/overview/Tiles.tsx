// Tiles.tsx - waiting, oldest waiting, departments without an agent, parked, disk.
import { bytes, num, percent } from "../../format/number";
import { cityNow } from "../../live/clock";
import { diskOf, REFUSES_AT, type Disk } from "../../live/disk";
import { departmentTitle } from "../../live/catalogue";
import type { DepartmentSum } from "../../live/departments";
import { href } from "../../route";
import { may } from "../../session";
import { fill, text } from "../../text";
import { Age } from "../../ui/Age";
import { Tile } from "../../ui/Tile";

const OLD_WARN_MS = 5 * 60_000;
const OLD_BAD_MS = 60 * 60_000;

function total(departments: DepartmentSum[], of: "waiting" | "delayed" | "leased" | "parked"): number {
    return departments.reduce((n, d) => n + d[of], 0);
}

function ageTone(oldest: number): "calm" | "warn" | "bad" {
    const passed = oldest ? cityNow() - oldest : 0;
    return passed > OLD_BAD_MS ? "bad" : passed > OLD_WARN_MS ? "warn" : "calm";
}

function OldestTile({ departments }: { departments: DepartmentSum[] }) {
    const t = text().overview;
    const first = departments.find((d) => d.oldest > 0);
    return (
        <Tile
            name="oldest"
            icon="clock"
            label={t.oldest}
            tone={first ? ageTone(first.oldest) : "calm"}
            value={first ? <Age at={first.oldest} large /> : text().units.none}
            more={first ? departmentTitle(first.name) : t.oldestNone}
            href={first && href("department", first.name)}
        />
    );
}

function MissingTile({ departments }: { departments: DepartmentSum[] }) {
    const t = text().overview;
    const expected = departments.filter((d) => d.expected || d.agents > 0 || d.waiting + d.delayed > 0);
    const missing = expected.filter((d) => d.agents === 0);
    const names = missing.map((d) => departmentTitle(d.name)).join(text().units.comma);
    return (
        <Tile
            name="missing"
            icon="agent"
            label={t.missing}
            tone={missing.some((d) => d.unserved > 0) ? "bad" : missing.length ? "warn" : "good"}
            value={<>{num(missing.length)} <small>{fill(t.missingOf, { n: num(expected.length) })}</small></>}
            more={names ? <span title={names}>{names}</span> : t.missingNone}
        />
    );
}

/* The figure is of whichever is nearer to its end; the words say which that is. */
export function roomText(disk: Disk): string {
    const t = text().overview;
    if (disk.of === "disk") return fill(t.diskFree, { size: bytes(disk.free) });
    return `${bytes(disk.used)} ${fill(t.diskOf, { size: bytes(disk.limit) })}`;
}

function DiskTile({ stats }: { stats: Record<string, number> }) {
    const t = text().overview;
    const disk = diskOf(stats);
    if (!disk) return <Tile name="disk" icon="disk" label={t.disk} value={text().units.none} more={t.diskUnknown} href={href("system")} />;
    return (
        <Tile
            name="disk"
            icon="disk"
            label={t.disk}
            tone={disk.full > REFUSES_AT ? "bad" : disk.full > REFUSES_AT - 0.1 ? "warn" : "calm"}
            value={percent(disk.full)}
            more={roomText(disk)}
            href={href("system")}
        />
    );
}

export function Tiles({ departments, stats }: { departments: DepartmentSum[]; stats: Record<string, number> }) {
    const t = text().overview;
    const parked = total(departments, "parked");
    const values = { leased: num(total(departments, "leased")), delayed: num(total(departments, "delayed")) };
    return (
        <div class="tiles">
            <Tile
                name="waiting"
                icon="queue"
                label={t.waiting}
                value={num(total(departments, "waiting"))}
                more={fill(t.waitingMore, values)}
                href={may("search") ? href("search", undefined, { q: "state:waiting" }) : undefined}
            />
            <OldestTile departments={departments} />
            <MissingTile departments={departments} />
            <Tile
                name="parked"
                icon="parked"
                label={t.parked}
                tone={parked ? "warn" : "calm"}
                value={num(parked)}
                more={parked ? t.parkedMore : t.parkedNone}
                href={may("parked") ? href("parked") : undefined}
            />
            <DiskTile stats={stats} />
        </div>
    );
}
