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

/* Begins or ends it as the button said that opened it, whatever a colleague does meanwhile. */
function DrainDialog({ on, draining, onClose }: { on: boolean; draining: boolean; onClose: () => void }) {
    const t = text().act;
    const words = on
        ? { title: t.drainOnTitle, lead: t.drainOnLead, confirm: t.drainOnDo, done: t.drainOnDone, already: t.drainOnAlready }
        : { title: t.drainOffTitle, lead: t.drainOffLead, confirm: t.drainOffDo, done: t.drainOffDone, already: t.drainOffAlready };
    return (
        <Reason
            title={words.title}
            lead={words.lead}
            confirm={words.confirm}
            danger={on}
            overtaken={draining === on ? words.already : undefined}
            onClose={onClose}
            onConfirm={async (reason) => {
                await post("/v1/drain", { on, reason });
                toast(words.done);
                refresh(true);
            }}
        />
    );
}

export function Drain({ draining }: { draining: boolean }) {
    const t = text();
    const [open, setOpen] = useState<"on" | "off" | null>(null);
    return (
        <Panel title={t.system.drain} lead={t.system.drainLead}>
            <p class="drain" data-draining={draining ? "yes" : "no"}>
                <Badge tone={draining ? "warn" : "good"}>{draining ? t.system.drainIs : t.system.drainNot}</Badge>
                <Button icon={draining ? "play" : "drain"} kind={draining ? "primary" : "danger"} flip={draining} onClick={() => setOpen(draining ? "off" : "on")}>
                    {draining ? t.system.drainOff : t.system.drainOn}
                </Button>
            </p>
            {open && <DrainDialog on={open === "on"} draining={draining} onClose={() => setOpen(null)} />}
        </Panel>
    );
}
