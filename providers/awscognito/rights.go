package awscognito

import (
	"context"
	"errors"

	"github.com/rotad/rotad/providers"
)

const actionLook = "cognito-idp:ListUserPoolClientSecrets"

// Rights implements providers.RightsReader. Whether rotad may look is shown by looking. What else it may do only IAM tells, which this kind
// does not speak to: so it says who to ask, and guesses nothing.
func (p *provider) Rights(ctx context.Context, _ []providers.Target) ([]providers.Right, error) {
	right := providers.Right{
		Name: actionLook, Need: providers.NeedLook, Held: true, Why: "to see the secrets of app clients",
		Change: "grant it on " + p.api.pool + " with AddUserPoolClientSecret and DeleteUserPoolClientSecret, as providers/awscognito/README.md has the policy " +
			"(aws iam put-user-policy, or put-role-policy)",
	}
	_, _, err := p.api.secrets(ctx, "rights", nobody)
	switch {
	case err == nil, providers.ClassOf(err) == providers.ClassNotFound:
	case errors.Is(err, errDenied):
		right.Held = false
	default:
		return nil, err
	}
	return []providers.Right{right}, p.api.fault("rights", providers.ClassUnsupported, errIAM)
}

var errIAM = errors.New("Cognito does not tell an account whether it may add and delete secrets, or what it may do besides. IAM does: " + //nolint:staticcheck // a name
	"aws iam simulate-principal-policy --policy-source-arn ARN-OF-ROTADS-ACCOUNT --resource-arns ARN-OF-THE-POOL " +
	"--action-names cognito-idp:AddUserPoolClientSecret cognito-idp:DeleteUserPoolClientSecret cognito-idp:AdminCreateUser cognito-idp:DeleteUserPool")
