// The words of reports, in every language. A fixed text is named by its key and looked up while compiling (one that is
// missing does not compile); what a journal brings (a record's kind, a step's state) is looked up when it comes.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

#include "respond/report/render_report.h"

namespace anclora::respond {

struct ReportText {
  std::string_view key;
  std::string_view english;
  std::string_view spanish;
};

inline constexpr ReportText kReportTexts[] = {
    // The two documents.
    {"title.drill", "DR test report", "Informe de prueba de DR"},
    {"title.incident", "Post-incident report", "Informe posterior al incidente"},
    {"result", "Result", "Resultado"},
    {"blank", "to be written by people", "por escribir por las personas"},
    {"none", "none", "ninguno"},
    {"not_measured", "not measured", "no medido"},
    {"not_known", "not known", "no se sabe"},
    {"yes", "yes", "sí"},
    {"no", "no", "no"},
    {"cut", "cut, bytes left out:", "cortado, bytes omitidos:"},
    {"made", "Made at", "Generado el"},
    {"made_by", "by", "por"},
    {"unfinished", "It is not over yet: what follows is how it stands now.",
     "Aún no ha terminado: lo que sigue es su estado actual."},
    // Headings.
    {"heading.summary", "Summary", "Resumen"},
    {"heading.objectives", "Objectives and what was achieved", "Objetivos y lo conseguido"},
    {"heading.split", "Where the time went", "En qué se fue el tiempo"},
    {"heading.before", "Before the test", "Antes de la prueba"},
    {"heading.during", "During the test", "Durante la prueba"},
    {"heading.after", "After the test", "Después de la prueba"},
    {"heading.checks", "Checks", "Comprobaciones"},
    {"heading.timeline", "Timeline", "Cronología"},
    {"heading.root_cause", "Root cause", "Causa raíz"},
    {"heading.resolution", "Resolution", "Resolución"},
    {"heading.impact", "Impact assessment", "Evaluación del impacto"},
    {"heading.counts", "Counted", "Recuento"},
    {"heading.steps", "Steps", "Pasos"},
    {"heading.approvals", "Approvals", "Aprobaciones"},
    {"heading.people", "People", "Personas"},
    {"heading.deliveries", "Notifications", "Avisos"},
    {"heading.actions", "Action items", "Acciones pendientes"},
    {"heading.lessons", "Lessons learned", "Lecciones aprendidas"},
    {"heading.went_well", "What went well", "Qué fue bien"},
    {"heading.to_improve", "What could be improved", "Qué se puede mejorar"},
    {"heading.prevention", "Prevention", "Prevención"},
    {"heading.findings", "Findings", "Hallazgos"},
    {"heading.evidence", "Evidence", "Evidencias"},
    {"evidence.about", "The records below form a hash chain: the command proves that nothing in them was changed.",
     "Los registros siguientes forman una cadena de resúmenes: la orden demuestra que no se ha cambiado nada."},
    // The summary.
    {"id.drill", "Drill", "Simulacro"},
    {"id.incident", "Incident", "Incidente"},
    {"id.runs", "Runs", "Ejecuciones"},
    {"date", "Date", "Fecha"},
    {"service", "Service", "Servicio"},
    {"scenario", "Scenario", "Escenario"},
    {"severity", "Severity", "Gravedad"},
    {"environment", "Environment", "Entorno"},
    {"environment.production", "production", "producción"},
    {"environment.sandbox", "sandbox", "entorno de pruebas"},
    {"duration", "Duration", "Duración"},
    {"duration.until_now", "still going on", "sigue en curso"},
    {"impact", "Impact", "Impacto"},
    {"why", "Why", "Por qué"},
    {"plan", "Plan", "Plan"},
    {"plan.verified", "verified: a drill passed with exactly this plan",
     "verificado: un simulacro superado con exactamente este plan"},
    {"plan.unverified", "unverified: no drill of this scenario passed with exactly this plan",
     "sin verificar: ningún simulacro de este escenario se ha superado con exactamente este plan"},
    {"plan.last_passed", "last passed", "superado por última vez"},
    {"tester", "Tester", "Responsable de la prueba"},
    {"started_by", "Started by", "Iniciado por"},
    // Columns.
    {"column.objective", "Objective", "Objetivo"},
    {"column.target", "Target", "Meta"},
    {"column.maximum", "Maximum", "Máximo"},
    {"column.achieved", "Achieved", "Conseguido"},
    {"column.verdict", "Verdict", "Veredicto"},
    {"column.proof", "Proof", "Prueba"},
    {"column.phase", "Phase", "Fase"},
    {"column.share", "Share", "Proporción"},
    {"column.time", "Time (UTC)", "Hora (UTC)"},
    {"column.since", "Since the start", "Desde el inicio"},
    {"column.event", "Event", "Suceso"},
    {"column.who", "Who", "Quién"},
    {"column.step", "Step", "Paso"},
    {"column.action", "Action", "Acción"},
    {"column.state", "State", "Estado"},
    {"column.budget", "Budget", "Previsto"},
    {"column.took", "Took", "Duró"},
    {"column.outcome", "Outcome", "Efecto"},
    {"column.roles", "Roles", "Roles"},
    {"column.approved_by", "Approved by", "Aprobado por"},
    {"column.waited", "Waited", "Espera"},
    {"column.what", "What", "Qué"},
    {"column.value", "Value", "Valor"},
    {"column.source", "Source", "Fuente"},
    {"column.check", "Check", "Comprobación"},
    {"column.owner", "Owner", "Responsable"},
    {"column.due", "Due", "Fecha límite"},
    {"column.person", "Person", "Persona"},
    {"column.part", "Part", "Papel"},
    {"column.channel", "Channel", "Canal"},
    {"column.hash", "Hash (BLAKE2b-256)", "Resumen (BLAKE2b-256)"},
    {"column.records", "Records", "Registros"},
    {"column.command", "Proved by", "Se comprueba con"},
    // Objectives and loss.
    {"rto", "RTO (time to recover)", "RTO (tiempo de recuperación)"},
    {"rpo", "RPO (data lost)", "RPO (datos perdidos)"},
    {"rto.detect", "detect", "detectar"},
    {"rto.decide", "decide", "decidir"},
    {"rto.act", "act", "actuar"},
    {"rto.verify", "verify", "verificar"},
    {"writes", "writes", "escrituras"},
    {"loss", "Data loss", "Pérdida de datos"},
    {"loss.none", "none was found", "no se encontró ninguna"},
    {"loss.yes", "yes", "sí"},
    {"users_affected", "Users affected", "Usuarios afectados"},
    {"revenue_impact", "Revenue impact", "Impacto económico"},
    {"verdict.passed", "passed", "superado"},
    {"verdict.failed", "failed", "fallido"},
    {"verdict.unknown", "not known", "no se sabe"},
    {"verdict.met", "met", "cumplido"},
    {"verdict.missed", "missed", "incumplido"},
    {"over_budget", "over budget", "fuera de lo previsto"},
    {"attempts", "attempts", "intentos"},
    {"post_recovery", "after the recovery", "tras la recuperación"},
    {"by_policy", "by the plan's rule, after the time was up", "por la regla del plan, al agotarse el tiempo"},
    {"refused_by", "refused by", "rechazado por"},
    {"of_scenario", "the scenario", "el escenario"},
    {"needed", "needed", "necesarias"},
    // States of the whole.
    {"state.passed", "passed", "superado"},
    {"state.failed", "failed", "fallido"},
    {"state.open", "open", "abierto"},
    {"state.closed", "closed", "cerrado"},
    {"state.finished", "finished", "terminado"},
    {"state.aborted", "aborted", "abandonado"},
    {"state.running", "running", "en marcha"},
    {"state.waiting", "waiting for a person", "a la espera de una persona"},
    {"state.interrupted", "interrupted", "interrumpido"},
    {"state.done", "done", "hecho"},
    {"state.pending", "pending", "pendiente"},
    {"state.awaiting_approval", "awaiting approval", "pendiente de aprobación"},
    {"state.verifying", "being verified", "en verificación"},
    {"state.failed_paused", "failed", "fallido"},
    {"state.unknown", "unknown", "desconocido"},
    {"state.skipped", "skipped", "omitido"},
    {"state.manual_done", "done by hand", "hecho a mano"},
    {"state.undone", "undone", "deshecho"},
    {"state.sent", "sent", "enviado"},
    {"state.limited", "held back: too many", "retenido: demasiados"},
    {"state.acknowledged", "acknowledged", "atendido"},
    // Parts of a report that people write, in its timeline.
    {"written.root_cause", "root cause", "causa raíz"},
    {"written.impact", "impact", "impacto"},
    {"written.users_affected", "users affected", "usuarios afectados"},
    {"written.revenue_impact", "revenue impact", "impacto económico"},
    {"written.resolution", "resolution", "resolución"},
    {"written.prevention", "prevention", "prevención"},
    {"written.went_well", "what went well", "qué fue bien"},
    {"written.to_improve", "what can be improved", "qué se puede mejorar"},
    // Severities of the plan.
    {"severity.critical", "critical", "crítica"},
    {"severity.high", "high", "alta"},
    {"severity.medium", "medium", "media"},
    {"severity.low", "low", "baja"},
    // What a timeline tells, by the kind of the record.
    {"event.run.started", "Run started", "Ejecución iniciada"},
    {"event.run.resumed", "Run taken up again", "Ejecución reanudada"},
    {"event.run.paused", "Run waits for a person", "La ejecución espera a una persona"},
    {"event.run.aborted", "Run aborted", "Ejecución abandonada"},
    {"event.run.finished", "Run finished", "Ejecución terminada"},
    {"event.approval.requested", "Approval asked for", "Aprobación solicitada"},
    {"event.approval.granted", "Approved", "Aprobado"},
    {"event.approval.refused", "Approval refused", "Aprobación rechazada"},
    {"event.approval.expired", "Approval ran out of time", "Aprobación caducada"},
    {"event.step.intent", "Begins", "Empieza"},
    {"event.step.change", "Changes", "Cambia"},
    {"event.step.kept", "Kept for an undo", "Guardado para deshacer"},
    {"event.step.note", "Note", "Nota"},
    {"event.step.outcome", "Done, not yet verified", "Hecho, sin verificar aún"},
    {"event.step.verified", "Done and verified", "Hecho y verificado"},
    {"event.step.failed", "Failed", "Falló"},
    {"event.step.timed_out", "Ran out of time", "Agotó su tiempo"},
    {"event.step.unknown", "It is not known whether it happened", "No se sabe si ocurrió"},
    {"event.step.skipped", "Skipped", "Omitido"},
    {"event.step.manual", "Done by hand", "Hecho a mano"},
    {"event.step.retry", "To be tried again", "Se intentará de nuevo"},
    {"event.step.undo_requested", "Undo asked for", "Se pidió deshacer"},
    {"event.step.undo_intent", "Undo begins", "Empieza a deshacerse"},
    {"event.step.undone", "Undone", "Deshecho"},
    {"event.step.undo_failed", "Undo failed", "No se pudo deshacer"},
    {"event.request.refused", "Request refused", "Petición rechazada"},
    {"event.mark.t_out", "Outage began", "Empezó la caída"},
    {"event.mark.t_det", "Detected", "Detectado"},
    {"event.mark.t_decl", "Declared", "Declarado"},
    {"event.mark.t_act", "Recovery began to act", "La recuperación empezó a actuar"},
    {"event.mark.t_serv", "Service restored", "Servicio restablecido"},
    {"event.incident.opened", "Incident opened", "Incidente abierto"},
    {"event.incident.verdict", "Verdict of the detection", "Veredicto de la detección"},
    {"event.incident.signal", "Signal from outside", "Señal externa"},
    {"event.incident.severity", "Severity set", "Gravedad fijada"},
    {"event.incident.note", "Note", "Nota"},
    {"event.incident.acknowledged", "Acknowledged", "Atendido"},
    {"event.incident.delivery", "Notification", "Aviso"},
    {"event.incident.run_linked", "Run linked", "Ejecución vinculada"},
    {"event.incident.written", "Written for the report", "Escrito para el informe"},
    {"event.action.added", "Action item", "Acción pendiente"},
    {"event.action.done", "Action item done", "Acción terminada"},
    {"event.incident.closed", "Incident closed", "Incidente cerrado"},
    {"event.drill.started", "Drill started", "Simulacro iniciado"},
    {"event.drill.ended", "Drill ended", "Simulacro terminado"},
    // The DR test's checklist.
    {"check.backup_created", "Backup created", "Copia de seguridad creada"},
    {"check.team_notified", "Team notified", "Equipo avisado"},
    {"check.monitoring_active", "Monitoring active", "Supervisión activa"},
    {"check.issue_simulated", "Issue simulated", "Problema simulado"},
    {"check.recovery_executed", "Recovery executed", "Recuperación ejecutada"},
    {"check.rto_measured", "RTO measured", "RTO medido"},
    {"check.rpo_measured", "RPO measured", "RPO medido"},
    {"check.service_restored", "Service restored", "Servicio restablecido"},
    {"check.data_validated", "Data validated", "Datos validados"},
    {"check.lessons_documented", "Lessons documented", "Lecciones documentadas"},
    {"check.procedures_updated", "Procedures updated", "Procedimientos actualizados"},
    {"check.sandbox_separate", "Sandbox proven separate from production",
     "Demostrado que el entorno de pruebas está separado de producción"},
    {"check.cleaned_up", "Cleaned up", "Entorno limpiado"},
    // Counts, by the name of the step's output.
    {"count.keys", "keys", "claves"},
    {"count.commands_lost", "writes lost", "escrituras perdidas"},
    {"count.rpo_writes", "writes lost", "escrituras perdidas"},
    {"count.keys_lost", "keys lost", "claves perdidas"},
    {"count.keys_missing", "keys missing", "claves que faltan"},
    {"count.keys_changed", "keys changed", "claves cambiadas"},
    {"count.jobs_lost", "jobs lost", "trabajos perdidos"},
    {"count.jobs_waiting", "jobs waiting", "trabajos en espera"},
    {"count.waiting", "jobs waiting", "trabajos en espera"},
    {"count.active", "jobs active", "trabajos activos"},
    {"count.delayed", "jobs delayed", "trabajos aplazados"},
    {"count.failed", "jobs failed", "trabajos fallidos"},
    {"count.completed", "jobs completed", "trabajos completados"},
    {"count.dlq", "jobs in the dead-letter queue", "trabajos en la cola de descartados"},
    {"count.restores", "scratch restores", "restauraciones de prueba"},
    {"count.latency_ms", "canary latency, ms", "latencia del mensaje de prueba, ms"},
    // What a person did.
    {"part.tester", "tester", "responsable de la prueba"},
    {"part.started", "started it", "lo inició"},
    {"part.approved", "approved", "aprobó"},
    {"part.refused", "refused", "rechazó"},
    {"part.decided", "decided about a step", "decidió sobre un paso"},
    {"part.aborted", "aborted it", "lo abandonó"},
    {"part.opened", "opened the incident", "abrió el incidente"},
    {"part.acknowledged", "acknowledged", "lo atendió"},
    {"part.commander", "incident commander", "dirigió el incidente"},
    // Evidence.
    {"evidence.run_journal", "journal of the run", "diario de la ejecución"},
    {"evidence.incident_journal", "journal of the incident", "diario del incidente"},
    {"evidence.plan", "plan, as it was run", "plan, tal como se ejecutó"},
    {"evidence.drill_records", "records of all drills", "registros de todos los simulacros"},
    {"evidence.drill_record", "record of the drill", "registro del simulacro"},
};

// The index of a key; the size of the table when it is not there. No pointer: under UBSan g++ 12 cannot compare one
// with nullptr in a constant expression.
constexpr std::size_t find_report_text_entry(std::string_view key) {
  std::size_t index = 0;
  for (const ReportText& each : kReportTexts) {
    if (each.key == key) break;
    ++index;
  }
  return index;
}

// A key that the table has; any other does not compile.
class ReportKey {
 public:
  template <std::size_t N>
  consteval ReportKey(const char (&key)[N])  // NOLINT: a key is written as its text
      : index_(find_report_text_entry(key)) {
    if (index_ == std::size(kReportTexts)) throw "the table of report texts lacks this key";
  }
  constexpr std::string_view in(Language language) const {
    const ReportText& text = kReportTexts[index_];
    return language == Language::kSpanish ? text.spanish : text.english;
  }

 private:
  std::size_t index_;
};

// "event." + "step.failed"; nullopt when the table does not know it.
std::optional<std::string_view> find_report_text(std::string_view group, std::string_view name, Language language);

}  // namespace anclora::respond
