//! Spanish.

use super::{Counted, PerBalance, Phrases};
use crate::diagnose::Verdict;

pub(super) static ES: Phrases = Phrases {
    greeting: "Hola:",
    closing: "Un saludo,\nEl equipo de soporte",
    and: " y ",
    comma: ", ",
    space: " ",
    credits: Counted { one: "{n} crédito", other: "{n} créditos" },
    run_charged: "proyecto “{project}”, {model}, iniciada el {when}, {credits}",
    run_free: "proyecto “{project}”, {model}, iniciada el {when}",
    confirm_one: "Hemos revisado esta ejecución: {run}.",
    confirm_many: "Hemos revisado estas ejecuciones:",
    cause,
    wait_until: "Como muy tarde el {when}, o bien el resultado estará en el proyecto o bien se habrán devuelto los créditos. No tiene que hacer nada.",
    still_running: "La ejecución todavía se está procesando.",
    lookup_pending: "Aún no hemos podido averiguar qué ha pasado con su ejecución y seguiremos consultando hasta el {when}. Si entonces seguimos sin respuesta, le devolveremos los créditos.",
    to_balance: PerBalance {
        quota: "{credits} a su cuota mensual",
        pool: "{credits} al fondo común del espacio de trabajo",
        wallet: "{credits} a su monedero",
        workspace_wallet: "{credits} al monedero del espacio de trabajo",
    },
    refund_posted: "Los créditos ya se devolvieron: {lines}, el {when}. Puede verlo en Ajustes, Facturación.",
    redebit: "El resultado todavía se puede entregar a cambio de lo devuelto ({credits}). Si lo desea, responda a este mensaje; sin su consentimiento no se cobra nada.",
    from_balance: PerBalance {
        quota: "{credits} de su cuota mensual",
        pool: "{credits} del fondo común del espacio de trabajo",
        wallet: "{credits} de su monedero",
        workspace_wallet: "{credits} del monedero del espacio de trabajo",
    },
    released: "Con su consentimiento del {when} hemos vuelto a cobrar los créditos devueltos: {lines}. Puede verlo en Ajustes, Facturación.",
    released_to: "Su resultado está ahora {place}. No hace falta repetir la ejecución.",
    restored: "Hemos devuelto {lines}.",
    to_workspace: "La ejecución la pagó el espacio de trabajo, por eso los créditos han vuelto a él y no a un saldo personal.",
    to_current_period: "El periodo de facturación del cargo ya terminó, por eso los créditos se han sumado a su periodo actual, además de lo que incluye.",
    to_wallet: "La suscripción de la que salió el cargo ha terminado, por eso los créditos han ido al monedero de la misma cuenta.",
    excluded: "La ejecución ya no cuenta en su total de uso.",
    excluded_part: "En su total de uso, la ejecución cuenta ahora con {credits}.",
    duplicate_removed: "El cargo de {credits} del {when} era un duplicado y se ha anulado. El primer cargo se mantiene.",
    at_node: "en el proyecto “{project}”, en el lienzo, en “{node}”",
    in_history: "en el historial de generaciones del proyecto “{project}”",
    history_entry: "en el historial de generaciones del proyecto “{project}”, en la entrada “{model}” del {when}",
    recovered: "Su resultado está ahora {place}. No hace falta repetir la ejecución y no cuesta nada más.",
    moved: "Hemos llevado su resultado al lugar correcto: ahora está {place}.",
    on_hold: "Le guardamos el resultado hasta el {when}.",
    free_space: "No hay sitio para él en su almacenamiento. Libere al menos {size} y responda a este mensaje; entonces pondremos el archivo en su proyecto.",
    free_some_space: "No hay sitio para él en su almacenamiento. Libere espacio y responda a este mensaje; entonces pondremos el archivo en su proyecto.",
    location: "Su resultado está {place}.",
    drag_back: "Puede arrastrarlo del historial al lienzo cuando quiera, sin coste.",
    item_by_item: "Elemento por elemento:",
    item: Counted { one: "Elemento {items}: {what}", other: "Elementos {items}: {what}" },
    items_of: "Para {run}:",
    item_delivered: "ya en su proyecto",
    item_recovered: "recuperación completada, ahora en su proyecto",
    item_restored: "devolución de {credits}",
    item_held: "en custodia para usted",
    item_waiting: "pendiente",
    item_refunded: "créditos ya devueltos",
    item_open: "sin entrega; el cargo se mantiene",
    kept_until: "El archivo ya no se puede recuperar: los archivos terminados se conservan solo un tiempo limitado, y este estuvo disponible hasta el {when}.",
    no_longer_kept: "El archivo ya no se puede recuperar: los archivos terminados se conservan solo un tiempo limitado, y este ya no está disponible.",
    delivered_stays: "El resultado se entregó, así que no podemos devolver los créditos aunque no sea lo que esperaba. En la próxima ejecución suele ayudar cambiar el prompt o la imagen de referencia.",
    cancel_keeps: "La ejecución se canceló cuando el modelo ya había empezado a trabajar. A partir de ese momento el cargo se mantiene.",
    deleted_keeps: "El proyecto se eliminó mientras la ejecución se estaba procesando. El trabajo se hizo de todos modos, así que el cargo se mantiene.",
    not_charged: "Por esta ejecución no se cobró ningún crédito, así que no hay nada que devolver.",
    privacy_review: "Esto no debería haber ocurrido. Hemos abierto una revisión de privacidad y lo estamos investigando.",
    foreign_removed: "Hemos retirado de su proyecto el archivo que no es suyo. No afecta a sus propios archivos ni a sus créditos.",
    owner_handles: "Lo estamos resolviendo con la persona propietaria del espacio de trabajo. Como el asunto corresponde al espacio de trabajo, pídale a ella los detalles.",
    verify_identity: "Antes de revisar el caso necesitamos estar seguros de que hablamos con la persona titular de la cuenta. Escríbanos desde la dirección de correo de la cuenta o envíenos un mensaje desde el producto con la sesión iniciada.",
    ask_details: "Para encontrar la ejecución, envíenos por favor:",
    details: [
        "el ID del proyecto (está en la dirección del proyecto o en sus ajustes)",
        "la hora de la ejecución, con su zona horaria",
        "el modelo que utilizó",
        "qué esperaba obtener",
        "capturas de pantalla del lienzo y de la línea de uso en Facturación",
    ],
    linked_own: "Ya nos escribió sobre esta ejecución el {when}. Le respondemos allí, para no hacer nada dos veces.",
    linked: "Ya hay una consulta abierta sobre esta ejecución. La resolvemos allí, para no hacer nada dos veces.",
    routed: "Esta es una pregunta para nuestro equipo de facturación. Le hemos pasado su mensaje; le responderán aquí en un día laborable.",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
};

fn cause(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::RequesterUnknown => "Aún no sabemos de quién es la cuenta.",
        Verdict::OutOfScope => "Su pregunta no se refiere a una ejecución concreta.",
        Verdict::ForeignAssetInProject => "En su proyecto aparecía un archivo que no debía estar ahí.",
        Verdict::NoMatch => "No hemos podido determinar con certeza a qué ejecución se refiere.",
        Verdict::NotCharged => "La ejecución no costó nada.",
        Verdict::MisattributedOtherCustomer => {
            "Su resultado se generó, pero por un error nuestro quedó guardado en el lugar equivocado."
        }
        Verdict::DuplicateCharge => "La ejecución se cobró más de una vez.",
        Verdict::CancelledBeforeStart => {
            "La ejecución se canceló antes de que el modelo empezara a trabajar, así que no debería haber costado nada."
        }
        Verdict::CancelledAfterStart => "La ejecución se canceló cuando el modelo ya había empezado a trabajar.",
        Verdict::ProjectDeleted => "Su resultado se terminó cuando el proyecto ya se había eliminado.",
        Verdict::MisattributedSameCustomer => "Su resultado se generó, pero por un error nuestro acabó en otro lugar.",
        Verdict::DeliveredNotOnCanvas => "Su resultado se generó y se guardó; solo que no está en el lienzo.",
        Verdict::DeliveredOk => "Su resultado se generó y está en el lienzo.",
        Verdict::PartialBatch => "No todos los resultados de esta ejecución llegaron a su proyecto.",
        Verdict::LateResult => "El resultado llegó cuando los créditos ya se habían devuelto.",
        Verdict::CorruptOutput => "Su resultado se generó, pero el archivo se dañó en la transferencia.",
        Verdict::NeverSubmitted => "Por un fallo nuestro, la ejecución nunca llegó al modelo.",
        Verdict::ProviderUnreachable => "En este momento no se puede consultar el estado en el modelo.",
        Verdict::InProgress => "La ejecución todavía se está procesando.",
        Verdict::ProviderStalled => "La ejecución no terminó en 24 horas, así que se le puso fin.",
        Verdict::ProviderFiltered => {
            "El filtro de seguridad del modelo retuvo el resultado. Puede pasar también con prompts inofensivos; suele ayudar reformular el prompt o usar otra imagen de referencia."
        }
        Verdict::ProviderFailed => "El modelo no devolvió ningún resultado.",
        Verdict::StorageQuotaExceeded => {
            "Su resultado se generó, pero no se pudo guardar porque su almacenamiento estaba lleno."
        }
        Verdict::UploadFailed => "Su resultado se generó, pero un fallo nuestro impidió guardarlo.",
        Verdict::WebhookLost => "Su resultado se generó, pero no nos llegó el aviso de que estaba listo.",
    }
}
