package main

import "github.com/spf13/cobra"

// commands is the visible list of subcommands.
func commands() []func(*app) *cobra.Command {
	return []func(*app) *cobra.Command{
		newInit,
		newRun,
		newCheck,
		newVersion,
		newKinds,
		newSchema,
		newHealth,
		newPreview,
		newSendTest,
		newDemo,
		newPlan,
		newStatus,
		newShow,
		newHistory,
		newAdvise,
		newRotate,
		newSubmit,
		newApprove,
		newHold,
		newRollback,
		newResume,
		newWave,
		newAck,
		newToken,
		newSnooze,
		newCalendar,
		newAdd,
		newRemove,
		newImport,
		newDiscover,
		newOrphans,
		newBackup,
		newRestore,
	}
}
