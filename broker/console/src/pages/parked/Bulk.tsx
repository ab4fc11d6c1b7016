// Bulk.tsx - a group back to its queues: the broker counts first, then a person decides, with a reason. What
// did not go back is told, and what did before something failed.
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
    counted_all: boolean; // false: it is more than that
}

interface Requeued {
    requeued: number;
    failed: number;
    more: boolean; // the gateway takes so many at a time
}

interface Total {
    requeued: number;
    failed: number;
    fault: unknown; // what ended it early
    more: boolean; // some are left that were not tried
}

const ROUNDS_MAX = 1_000;

/* No more than were counted: what is parked again at once would keep it going for ever. */
async function requeueAll(filter: string, reason: string, most: number): Promise<Total> {
    const total: Total = { requeued: 0, failed: 0, fault: null, more: true };
    try {
        for (let round = 0; round < ROUNDS_MAX && total.more && total.requeued + total.failed < most; round++) {
            const done = await post<Requeued>("/v1/parked/requeue", { filter, reason }, true);
            total.requeued += done.requeued;
            total.failed += done.failed;
            total.more = done.more;
            if (done.requeued === 0) break;
        }
    } catch (fault) {
        total.fault = fault;
    }
    return total;
}

export function Bulk({ department, code, onDone, onClose }: BulkProps) {
    const t = text().act;
    const [counted, setCounted] = useState<Counted | null>(null);
    const [turn, setTurn] = useState(0);
    const [fault, setFault] = useState<unknown>(null);
    const filter = [code && `code:${code}`, department && `department:${department}`].filter(Boolean).join(" ");
    useEffect(() => {
        post<Counted>("/v1/parked/requeue", { filter, count_only: true }).then(setCounted, setFault);
    }, [filter, turn]);
    const count = counted?.count;
    const n = fill(counted?.counted_all === false ? t.moreThan : "{n}", { n: num(count ?? 0) });
    const requeue = async (reason: string): Promise<void> => {
        const most = counted?.counted_all === false ? Infinity : (count ?? 0);
        const { requeued, failed, fault: ended, more } = await requeueAll(filter, reason, most);
        const all = Math.max(count ?? 0, requeued + failed);
        const whole = ended === null && !failed && (!more || requeued >= most);
        if (whole) toast(fill(t.bulkDone, { n: num(requeued) }));
        else if (requeued || ended === null) toast(fill(t.bulkPart, { n: num(requeued), all: num(all) }), true);
        refresh();
        onDone();
        if (ended === null) return;
        setTurn(turn + 1); // the dialog stays: how many are left is counted anew
        throw ended;
    };
    return (
        <Reason
            title={t.bulkTitle}
            lead={t.bulkLead}
            confirm={count ? fill(t.bulkDo, { n }) : t.requeueDo}
            blocked={!count}
            onClose={onClose}
            onConfirm={requeue}
        >
            <p class="bulk-count" role="status">
                {fault === null && (counted === null ? t.counting : count ? fill(t.bulkCount, { n }) : t.bulkNone)} <Code code={code} />
            </p>
            {fault !== null && <Fault of={fault} />}
        </Reason>
    );
}
