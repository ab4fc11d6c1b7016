// Drain.tsx - before a stop: nothing new in, what is under way is finished.
import { useState } from "preact/hooks";
import { post } from "../../api/http";
import { refresh } from "../../live/board";
import { text } from "../../text";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";

export function Drain({ draining }: { draining: boolean }) {
    const t = text();
    const [open, setOpen] = useState(false);
    const words = draining
        ? { title: t.act.drainOffTitle, lead: t.act.drainOffLead, confirm: t.act.drainOffDo, done: t.act.drainOffDone }
        : { title: t.act.drainOnTitle, lead: t.act.drainOnLead, confirm: t.act.drainOnDo, done: t.act.drainOnDone };
    return (
        <Panel title={t.system.drain} lead={t.system.drainLead}>
            <p class="drain" data-draining={draining ? "yes" : "no"}>
                <Badge tone={draining ? "warn" : "good"}>{draining ? t.system.drainIs : t.system.drainNot}</Badge>
                <Button icon={draining ? "play" : "drain"} kind={draining ? "primary" : "danger"} flip={draining} onClick={() => setOpen(true)}>
                    {draining ? t.system.drainOff : t.system.drainOn}
                </Button>
            </p>
            {open && (
                <Reason
                    title={words.title}
                    lead={words.lead}
                    confirm={words.confirm}
                    danger={!draining}
                    onClose={() => setOpen(false)}
                    onConfirm={async (reason) => {
                        await post("/v1/drain", { on: !draining, reason });
                        toast(words.done);
                        refresh(true);
                    }}
                />
            )}
        </Panel>
    );
}
