// Reason.tsx - the dialog before every action: what will happen, why it is done, and go. The reason is
// written to the log by the broker, so an action without one cannot be sent. It stays until the gateway has
// answered: who leaves by the address meanwhile is told of a failure by a toast.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { text } from "../text";
import { Banner } from "./Banner";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Fault, faultText } from "./Fault";
import { toast } from "./Toasts";

export interface ReasonProps {
    title: string;
    lead: string;
    confirm: string;
    danger?: boolean;
    blocked?: boolean; // something else is missing yet
    overtaken?: string; // somebody else has done it meanwhile: a sentence, and nothing left to confirm
    children?: ComponentChildren; // further fields, before the reason
    onConfirm: (reason: string) => Promise<void>;
    onClose: () => void;
}

const REASON_MAX = 1000; // bytes, of the protocol

export function Reason({ title, lead, confirm, danger, blocked, overtaken, children, onConfirm, onClose }: ReasonProps) {
    const t = text().act;
    const id = useId();
    const [reason, setReason] = useState("");
    const [missing, setMissing] = useState(false);
    const [busy, setBusy] = useState(false);
    const [fault, setFault] = useState<unknown>(null);
    const gone = useRef(false);
    useEffect(() => () => void (gone.current = true), []);

    async function submit(event: Event): Promise<void> {
        event.preventDefault();
        if (busy || blocked || overtaken) return;
        if (!reason.trim()) {
            setMissing(true);
            document.getElementById(id)?.focus();
            return;
        }
        setBusy(true);
        setFault(null);
        try {
            await onConfirm(reason.trim());
            onClose();
        } catch (error) {
            if (gone.current) return toast(`${title}: ${faultText(error)}`, true);
            setFault(error);
            setBusy(false);
        }
    }

    return (
        <Dialog title={title} onClose={() => busy || onClose()}>
            <form onSubmit={submit} noValidate>
                <p class="dialog-lead">{lead}</p>
                {children}
                <div class="field">
                    <label for={id}>{t.reason}</label>
                    <textarea
                        id={id}
                        data-first
                        rows={3}
                        maxLength={REASON_MAX / 2}
                        required
                        aria-describedby={id + "-hint"}
                        aria-invalid={missing}
                        value={reason}
                        onInput={(e) => {
                            setReason(e.currentTarget.value);
                            setMissing(false);
                        }}
                    />
                    <p id={id + "-hint"} class={missing ? "field-fault" : "field-hint"}>
                        {missing ? t.reasonNeeded : t.reasonHint}
                    </p>
                </div>
                {overtaken && !busy && <Banner tone="warn">{overtaken}</Banner>}
                {fault !== null && <Fault of={fault} />}
                <div class="dialog-actions">
                    <Button disabled={busy} onClick={onClose}>{t.cancel}</Button>
                    <Button type="submit" kind={danger ? "danger" : "primary"} disabled={busy || blocked || Boolean(overtaken)}>
                        {busy ? t.working : confirm}
                    </Button>
                </div>
            </form>
        </Dialog>
    );
}
