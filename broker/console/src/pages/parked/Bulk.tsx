// Bulk.tsx - a group back to its queues: the broker counts first, then a person decides, with a reason.
import { useEffect, useState } from "preact/hooks";
import { post } from "../../api/http";
import { num } from "../../format/number";
import { refresh } from "../../live/board";
import { fill, text } from "../../text";
import { Code } from "../../ui/Code";
import { Fault } from "../../ui/Fault";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";

export interface BulkProps {
    department: string;
    code: string;
    onDone: () => void;
    onClose: () => void;
}

interface Counted {
    count: number;
}

interface Requeued {
    requeued: number;
    more: boolean; // the gateway takes so many at a time
}

const ROUNDS_MAX = 100;

async function requeueAll(filter: string, reason: string): Promise<number> {
    let total = 0;
    for (let round = 0; round < ROUNDS_MAX; round++) {
        const done = await post<Requeued>("/v1/parked/requeue", { filter, reason }, true);
        total += done.requeued;
        if (!done.more || done.requeued === 0) break;
    }
    return total;
}

export function Bulk({ department, code, onDone, onClose }: BulkProps) {
    const t = text().act;
    const [count, setCount] = useState<number | null>(null);
    const [fault, setFault] = useState<unknown>(null);
    const filter = [code && `code:${code}`, department && `department:${department}`].filter(Boolean).join(" ");
    useEffect(() => {
        post<Counted>("/v1/parked/requeue", { filter, count_only: true }).then((r) => setCount(r.count), setFault);
    }, [filter]);
    const n = num(count ?? 0);
    return (
        <Reason
            title={t.bulkTitle}
            lead={t.bulkLead}
            confirm={count ? fill(t.bulkDo, { n }) : t.requeueDo}
            blocked={!count}
            onClose={onClose}
            onConfirm={async (reason) => {
                toast(fill(t.bulkDone, { n: num(await requeueAll(filter, reason)) }));
                refresh();
                onDone();
            }}
        >
            <p class="bulk-count" role="status">
                {fault === null && (count === null ? t.counting : count ? fill(t.bulkCount, { n }) : t.bulkNone)} <Code code={code} />
            </p>
            {fault !== null && <Fault of={fault} />}
        </Reason>
    );
}
