// IndexPanel.tsx - the search index: how far it is behind the log, and building it again.
import { useState } from "preact/hooks";
import { post } from "../../api/http";
import { digits, num } from "../../format/number";
import { may } from "../../session";
import { fill, text } from "../../text";
import { Badge } from "../../ui/Badge";
import { Bar } from "../../ui/Bar";
import { Button } from "../../ui/Button";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";
import { useAsked } from "../../ui/useAsked";

interface IndexState {
    seq: number;
    head: number;
    behind: number;
    rebuilding: boolean | number;
}

function Progress({ state }: { state: IndexState }) {
    const t = text().system;
    if (state.rebuilding)
        return (
            <>
                <Badge tone="busy">{t.indexBuilding}</Badge>
                <Bar label={t.indexBuilding} value={state.seq} max={state.head} />
            </>
        );
    return state.behind ? <Badge tone="warn">{fill(t.indexBehind, { n: num(state.behind) })}</Badge> : <Badge tone="good">{t.indexNone}</Badge>;
}

export function IndexPanel() {
    const t = text();
    const { value, fault, again } = useAsked<IndexState>("/v1/index", 5_000);
    const [open, setOpen] = useState(false);
    return (
        <Panel title={t.system.index}>
            {!value && (fault !== null ? <Fault of={fault} again={again} /> : <Loading />)}
            {value && (
                <dl class="details">
                    <div><dt>{t.system.indexLag}</dt><dd><Progress state={value} /></dd></div>
                    <div><dt>{t.system.indexSeq}</dt><dd>{digits(value.seq)}</dd></div>
                    <div><dt>{t.system.indexHead}</dt><dd>{digits(value.head)}</dd></div>
                </dl>
            )}
            {value && may("reindex") && <Button icon="requeue" onClick={() => setOpen(true)}>{t.system.rebuild}</Button>}
            {open && (
                <Reason
                    title={t.act.rebuildTitle}
                    lead={t.act.rebuildLead}
                    confirm={t.act.rebuildDo}
                    danger
                    onClose={() => setOpen(false)}
                    onConfirm={async (reason) => {
                        await post("/v1/index/rebuild", { reason });
                        toast(t.act.rebuildDone);
                        again();
                    }}
                />
            )}
        </Panel>
    );
}
