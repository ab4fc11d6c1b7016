// Parked.tsx - what was set aside, by reason; a group goes back to its queues after its size was shown.
import { useEffect, useState } from "preact/hooks";
import type { List, ParkedRow } from "../../api/shapes";
import { get } from "../../api/http";
import { onEvents } from "../../live/feed";
import { catalogue } from "../../live/catalogue";
import { useStore } from "../../store";
import { text } from "../../text";
import { href, replace } from "../../route";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { PageHead } from "../../ui/PageHead";
import { useAsked } from "../../ui/useAsked";
import { RequeueDialog } from "../inquiry/Dialogs";
import { Bulk } from "./Bulk";
import { Groups } from "./Groups";
import { ParkedList } from "./ParkedList";

const PAGES_MAX = 20; // of parked rows read for the groups; a requeue counts them all at the broker

interface Read {
    rows: ParkedRow[];
    whole: boolean;
}

async function readAll(path: string, signal: AbortSignal): Promise<Read> {
    const rows: ParkedRow[] = [];
    let next: string | null = "";
    for (let page = 0; page < PAGES_MAX && next !== null; page++) {
        const list: List<ParkedRow> = await get<List<ParkedRow>>(path + (next ? `?after=${encodeURIComponent(next)}` : ""), signal);
        rows.push(...list.rows);
        next = list.next || null;
    }
    return { rows, whole: next === null };
}

const MOVES = ["parked", "requeued", "cancelled", "redirected", "expired"];

export function Parked({ query }: { query: URLSearchParams }) {
    const t = text().parked;
    useStore(catalogue);
    const { value: read, fault, again } = useAsked("/v1/parked", undefined, readAll);
    useEffect(() => onEvents((events) => events.some((e) => MOVES.includes(e.event)) && again()), [again]);
    const [bulk, setBulk] = useState<string | null>(null);
    const [one, setOne] = useState<number | null>(null);
    const department = query.get("department") ?? "";
    const code = query.get("code") ?? "";
    const choose = (change: { department?: string; code?: string }): void =>
        replace(href("parked", undefined, { department, code, ...change }));
    if (!read) return fault !== null ? <Fault of={fault} again={again} /> : <Loading />;
    const ofDepartment = department ? read.rows.filter((r) => r.department === department) : read.rows;
    const rows = code ? ofDepartment.filter((r) => r.code === code) : ofDepartment;
    return (
        <div class="page">
            <PageHead title={t.title} aside={t.lead} />
            {read.rows.length === 0 ? (
                <section class="panel">
                    <Empty icon="check" title={t.empty}>{t.emptyDo}</Empty>
                </section>
            ) : (
                <>
                    <Groups all={read.rows} whole={read.whole} rows={ofDepartment} department={department} code={code} choose={choose} requeue={setBulk} />
                    <ParkedList rows={rows} whole={read.whole} requeue={setOne} />
                </>
            )}
            {/* Here, so that what is typed outlives a list that empties meanwhile. */}
            {bulk !== null && <Bulk department={department} code={bulk} onDone={again} onClose={() => setBulk(null)} />}
            {one !== null && <RequeueDialog number={one} onDone={again} onClose={() => setOne(null)} />}
        </div>
    );
}
